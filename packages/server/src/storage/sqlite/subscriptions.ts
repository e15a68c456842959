import type { Instant, QueueKey, Subscription } from '../../model/model.ts'
import { type QueueHandle, STALE, type Stale, type SubscriptionStore } from '../contract.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import type { QueueState } from './queue-states.ts'

interface SubscriptionRow {
  id: string
  subscriber: string
  ttl: number
  renewed_at: Instant
  expires_at: Instant
  options: string
  confirmed: number
}

const COLUMNS = 'id, subscriber, ttl, renewed_at, expires_at, options, confirmed'

export function createSubscriptionStore({ db, turns, states, needRoom }: Engine): SubscriptionStore {
  const bySubscriber = db.prepare(`SELECT ${COLUMNS} FROM subscription WHERE bucket = ? AND subscriber = ?`)
  const byId = db.prepare(`SELECT ${COLUMNS} FROM subscription WHERE bucket = ? AND id = ? AND expires_at > ?`)
  const page = limited(
    db,
    `SELECT ${COLUMNS} FROM subscription WHERE bucket = ? AND id > ? AND expires_at > ? ORDER BY id`,
  )
  const put = db.prepare(`INSERT OR REPLACE INTO subscription (bucket, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
  const remove = db.prepare('DELETE FROM subscription WHERE bucket = ? AND id = ?')
  const removeExpired = db.prepare(
    `DELETE FROM subscription WHERE (bucket, id) IN
       (SELECT bucket, id FROM subscription WHERE bucket = ? AND expires_at <= ? ORDER BY expires_at LIMIT 20)`,
  )

  function onBucket<T>(queue: QueueHandle, act: (bucket: number, state: QueueState) => T): Promise<T | Stale> {
    return turns.submit(() => {
      const state = states.open(queue)
      return state === STALE ? STALE : act(state.subscriptionBucket, state)
    })
  }

  function store(bucket: number, row: SubscriptionRow): void {
    const { id, subscriber, ttl, renewed_at, expires_at, options, confirmed } = row
    put.run(bucket, id, subscriber, ttl, renewed_at, expires_at, options, confirmed)
  }

  function liveBySubscriber(bucket: number, subscriber: string, now: Instant): SubscriptionRow | null {
    const row = bySubscriber.get(bucket, subscriber) as SubscriptionRow | undefined
    return row !== undefined && row.expires_at > now ? row : null
  }

  return {
    create: ({ queue, id, subscriber, ttlSeconds, options, now }) =>
      onBucket(queue, (bucket) => {
        removeExpired.run(bucket, now)
        const existing = liveBySubscriber(bucket, subscriber, now)
        if (existing !== null) return { created: false, subscription: toSubscription(existing, queue) }
        needRoom()
        const row: SubscriptionRow = {
          id,
          subscriber,
          ttl: ttlSeconds,
          renewed_at: now,
          expires_at: now + ttlSeconds * 1000,
          options,
          confirmed: 0,
        }
        store(bucket, row)
        return { created: true, subscription: toSubscription(row, queue) }
      }),

    get: ({ queue, id, now }) =>
      onBucket(queue, (bucket) => {
        const row = byId.get(bucket, id, now) as SubscriptionRow | undefined
        return row === undefined ? null : toSubscription(row, queue)
      }),

    list: ({ queue, after, limit, now }) =>
      onBucket(queue, (bucket) => {
        removeExpired.run(bucket, now)
        const listed = page(limit).all(bucket, after ?? '', now) as unknown as SubscriptionRow[]
        return listed.map((row) => toSubscription(row, queue))
      }),

    update: ({ queue, id, subscriber, ttlSeconds, options, now }) =>
      onBucket<'updated' | 'absent' | 'conflict'>(queue, (bucket) => {
        const row = byId.get(bucket, id, now) as SubscriptionRow | undefined
        if (row === undefined) return 'absent'
        needRoom()
        const changed = { ...row }
        if (subscriber !== undefined && subscriber !== row.subscriber) {
          if (liveBySubscriber(bucket, subscriber, now) !== null) return 'conflict'
          changed.subscriber = subscriber
          changed.confirmed = 0
        }
        if (ttlSeconds !== undefined) {
          changed.ttl = ttlSeconds
          changed.renewed_at = now
          changed.expires_at = now + ttlSeconds * 1000
        }
        if (options !== undefined) changed.options = options
        store(bucket, changed)
        return 'updated'
      }),

    confirm: ({ queue, id, confirmed, now }) =>
      onBucket(queue, (bucket) => {
        const row = byId.get(bucket, id, now) as SubscriptionRow | undefined
        if (row !== undefined) store(bucket, { ...row, confirmed: confirmed ? 1 : 0 })
        return row !== undefined
      }),

    delete: ({ queue, id }) =>
      onBucket(queue, (bucket) => {
        remove.run(bucket, id)
        return undefined
      }),

    purge: ({ queue }) =>
      onBucket(queue, (_bucket, state) => {
        states.replaceBuckets(state, { messages: false, subscriptions: true })
        return 'purged' as const
      }),
  }
}

function toSubscription(row: SubscriptionRow, key: QueueKey): Subscription {
  return {
    id: row.id,
    source: key.name,
    subscriber: row.subscriber,
    ttlSeconds: row.ttl,
    renewedAt: row.renewed_at,
    options: row.options,
    confirmed: row.confirmed === 1,
  }
}
