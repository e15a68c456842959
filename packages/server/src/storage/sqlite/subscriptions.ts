import type { Instant, QueueKey, Subscription } from '../../model/model.ts'
import type { SubscriptionStore } from '../contract.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import type { QueueState } from './queue-states.ts'
import type { Move } from './turns.ts'

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
  const bySubscriber = db.prepare(`SELECT ${COLUMNS} FROM subscriptions WHERE bucket = ? AND subscriber = ?`)
  const byId = db.prepare(`SELECT ${COLUMNS} FROM subscriptions WHERE bucket = ? AND id = ? AND expires_at > ?`)
  const page = limited(
    db,
    `SELECT ${COLUMNS} FROM subscriptions WHERE bucket = ? AND id > ? AND expires_at > ? ORDER BY id`,
  )
  const put = db.prepare(`INSERT OR REPLACE INTO subscriptions (bucket, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
  const remove = db.prepare('DELETE FROM subscriptions WHERE bucket = ? AND id = ?')
  const removeExpired = db.prepare(
    `DELETE FROM subscriptions WHERE (bucket, id) IN
       (SELECT bucket, id FROM subscriptions WHERE bucket = ? AND expires_at <= ? ORDER BY expires_at LIMIT 20)`,
  )

  function onBucket<T>(key: QueueKey, absent: T, act: (bucket: number, state: QueueState) => T): Move<T> {
    return () => {
      const state = states.find(key)
      return state === null ? absent : act(state.subscriptionBucket, state)
    }
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
    create: ({ key, id, subscriber, ttlSeconds, options, now }) =>
      turns.submit(
        onBucket<{ created: boolean; subscription: Subscription } | null>(key, null, (bucket) => {
          removeExpired.run(bucket, now)
          const existing = liveBySubscriber(bucket, subscriber, now)
          if (existing !== null)
            return {
              created: false,
              subscription: toSubscription(existing, key),
            }
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
          return { created: true, subscription: toSubscription(row, key) }
        }),
      ),

    get: ({ key, id, now }) =>
      turns.submit(
        onBucket<Subscription | null>(key, null, (bucket) => {
          const row = byId.get(bucket, id, now) as SubscriptionRow | undefined
          return row === undefined ? null : toSubscription(row, key)
        }),
      ),

    list: ({ key, after, limit, now }) =>
      turns.submit(
        onBucket<Subscription[]>(key, [], (bucket) => {
          removeExpired.run(bucket, now)
          const listed = page(limit).all(bucket, after ?? '', now) as unknown as SubscriptionRow[]
          return listed.map((row) => toSubscription(row, key))
        }),
      ),

    update: ({ key, id, subscriber, ttlSeconds, options, now }) =>
      turns.submit(
        onBucket<'updated' | 'absent' | 'conflict'>(key, 'absent', (bucket) => {
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
      ),

    confirm: ({ key, id, confirmed, now }) =>
      turns.submit(
        onBucket(key, false, (bucket) => {
          const row = byId.get(bucket, id, now) as SubscriptionRow | undefined
          if (row !== undefined) store(bucket, { ...row, confirmed: confirmed ? 1 : 0 })
          return row !== undefined
        }),
      ),

    delete: ({ key, id }) => turns.submit(onBucket<void>(key, undefined, (bucket) => void remove.run(bucket, id))),

    purge: ({ key }) =>
      turns.submit(
        onBucket<void>(key, undefined, (_bucket, state) =>
          states.replaceBuckets(state, {
            messages: false,
            subscriptions: true,
          }),
        ),
      ),
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
