import type { DatabaseSync } from 'node:sqlite'
import type { Health, Instant, QueueKey, Subscription } from '../../model/model.ts'
import { limited } from './limited.ts'
import { NEVER } from './queue-states.ts'

/** A subscription as it is stored; see the table. */
export interface SubscriptionRow extends DeliveryRow {
  id: string
  subscriber: string
  ttl: number
  renewed_at: Instant
  options: string
  vault: string | null
}

/** What deliveries change of it, and look at. */
export interface DeliveryRow {
  readonly number: number
  readonly bucket: number
  line: number
  is_listening: 0 | 1
  position: number
  retry_at: Instant
  is_free: 0 | 1
  wakes_at: Instant
  lease: number
  lease_ends_at: Instant
  rests_until: Instant
  failures: number | null
  failing_since: Instant | null
  paused_until: Instant | null
  failed: number
  log_from: number
  log_end: number
  confirmed: 0 | 1
  expires_at: Instant
}

const DELIVERY = [
  ...['number', 'bucket', 'line', 'is_listening', 'position', 'retry_at', 'is_free', 'wakes_at', 'lease'],
  ...['lease_ends_at', 'rests_until', 'failures', 'failing_since', 'paused_until', 'failed', 'log_from', 'log_end'],
  ...['confirmed', 'expires_at'],
]
const ALL = [...DELIVERY, 'id', 'subscriber', 'ttl', 'renewed_at', 'options', 'vault']

/** Removed in passing. */
const EXPIRED_IN_PASSING = 20

/** Reads and writes subscriptions. Expired ones are left out where `now` is given. */
export class SubscriptionRows {
  readonly #bySubscriber
  readonly #byId
  readonly #page
  readonly #woken
  readonly #ready
  readonly #nextWake
  readonly #put
  readonly #update
  readonly #goOn
  readonly #putOff
  readonly #removeById
  readonly #remove
  readonly #removeExpired

  constructor(db: DatabaseSync) {
    const select = `SELECT ${ALL.join(', ')} FROM subscription`
    this.#bySubscriber = db.prepare(`${select} WHERE bucket = ? AND subscriber = ? AND expires_at > ?`)
    this.#byId = db.prepare(`${select} WHERE bucket = ? AND id = ? AND expires_at > ?`)
    this.#page = limited(db, `${select} WHERE bucket = ? AND id > ? AND expires_at > ? ORDER BY id`)
    // SQLite looks no further than the first of several bounds, and goes through all that it leaves.
    const woken = 'subscription INDEXED BY subscription_wake WHERE bucket = ?1'
    const isWaiting = `wakes_at < ${NEVER}`
    this.#woken = limited(
      db,
      `SELECT ${ALL.join(', ')} FROM ${woken} AND wakes_at <= ?2 AND ${isWaiting} ORDER BY wakes_at`,
    )
    this.#nextWake = db.prepare(`SELECT min(wakes_at) AS at FROM ${woken} AND ${isWaiting}`)
    this.#ready = limited(
      db,
      `${select} INDEXED BY subscription_ready
       WHERE bucket = ? AND is_free = 1 AND is_listening = 1 AND position < ? ORDER BY position`,
    )
    this.#put = db.prepare(
      `INSERT OR REPLACE INTO subscription (${ALL.join(', ')}) VALUES (${ALL.map((name) => `$${name}`).join(', ')})`,
    )
    const assign = (columns: readonly string[]) => columns.map((name) => `${name} = $${name}`).join(', ')
    this.#update = db.prepare(
      `UPDATE OR REPLACE subscription SET ${assign(ALL.filter((name) => name !== 'number' && name !== 'bucket'))}
       WHERE number = $number AND bucket = $bucket`,
    )
    this.#goOn = db.prepare(
      `UPDATE subscription SET position = ?, retry_at = ?, lease_ends_at = ?, failures = ?, failing_since = ?,
         paused_until = ?, failed = ?, log_from = ?, log_end = ?
       WHERE number = ?`,
    )
    this.#putOff = db.prepare(
      `UPDATE subscription SET position = ?, retry_at = ?, is_free = ?, wakes_at = ?, lease = ?, lease_ends_at = ?,
         rests_until = ?, failures = ?, failing_since = ?, paused_until = ?, failed = ?, log_from = ?, log_end = ?
       WHERE number = ?`,
    )
    this.#removeById = db.prepare('DELETE FROM subscription WHERE bucket = ? AND id = ?')
    this.#remove = db.prepare('DELETE FROM subscription WHERE number = ?')
    this.#removeExpired = db.prepare(
      `DELETE FROM subscription WHERE number IN
         (SELECT number FROM subscription WHERE bucket = ? AND expires_at <= ? ORDER BY expires_at
          LIMIT ${EXPIRED_IN_PASSING})`,
    )
  }

  byId(bucket: number, id: string, now: Instant): SubscriptionRow | null {
    return (this.#byId.get(bucket, id, now) as SubscriptionRow | undefined) ?? null
  }

  bySubscriber(bucket: number, subscriber: string, now: Instant): SubscriptionRow | null {
    return (this.#bySubscriber.get(bucket, subscriber, now) as SubscriptionRow | undefined) ?? null
  }

  page(bucket: number, after: string | null, limit: number, now: Instant): SubscriptionRow[] {
    return this.#page(limit).all(bucket, after ?? '', now) as unknown as SubscriptionRow[]
  }

  /** Those that are worth a look by now, without news in the feed; expired ones too. */
  woken(bucket: number, now: Instant, limit: number): SubscriptionRow[] {
    return this.#woken(limit).all(bucket, now) as unknown as SubscriptionRow[]
  }

  /** Those that are free and wait for what is in the feed up to `fed`; expired ones too. */
  ready(bucket: number, fed: number, limit: number): SubscriptionRow[] {
    return this.#ready(limit).all(bucket, fed) as unknown as SubscriptionRow[]
  }

  /** The next instant at which one is worth a look, without news in the feed. */
  nextWake(bucket: number): Instant {
    return (this.#nextWake.get(bucket) as { at: Instant | null }).at ?? NEVER
  }

  /** Takes the place of what has the same id or subscriber. */
  put(row: SubscriptionRow): void {
    this.#put.run({ ...row })
  }

  update(row: SubscriptionRow): void {
    this.#update.run({ ...row })
  }

  /** Its lease goes on. When it is worth a look stays as it is, which may be too early. */
  goOn(row: DeliveryRow): void {
    this.#goOn.run(
      ...[row.position, row.retry_at, row.lease_ends_at, row.failures, row.failing_since, row.paused_until],
      ...[row.failed, row.log_from, row.log_end, row.number],
    )
  }

  /** It is leased, or not any more. */
  putOff(row: DeliveryRow): void {
    this.#putOff.run(
      ...[row.position, row.retry_at, row.is_free, row.wakes_at, row.lease, row.lease_ends_at, row.rests_until],
      ...[row.failures, row.failing_since, row.paused_until, row.failed, row.log_from, row.log_end, row.number],
    )
  }

  removeById(bucket: number, id: string): void {
    this.#removeById.run(bucket, id)
  }

  remove({ number }: DeliveryRow): void {
    this.#remove.run(number)
  }

  removeSomeExpired(bucket: number, now: Instant): void {
    this.#removeExpired.run(bucket, now)
  }
}

function healthOf({ failures, failing_since, paused_until }: DeliveryRow): Health | null {
  if (failures === null) return null
  return { failures, failingSince: failing_since ?? 0, pausedUntil: paused_until }
}

export function setHealth(row: DeliveryRow, health: Health | null): void {
  row.failures = health?.failures ?? null
  row.failing_since = health?.failingSince ?? null
  row.paused_until = health?.pausedUntil ?? null
}

/** When it is worth a look without news in the feed, and whether it is free of leases and rests until then. */
export function foresee(row: DeliveryRow, now: Instant): void {
  const busyUntil = Math.max(row.lease_ends_at, row.rests_until)
  row.is_free = busyUntil > now ? 0 : 1
  row.wakes_at = busyUntil > now ? busyUntil : row.retry_at
}

export function toSubscription(row: SubscriptionRow, key: QueueKey): Subscription {
  return {
    id: row.id,
    source: key.name,
    subscriber: row.subscriber,
    ttlSeconds: row.ttl,
    renewedAt: row.renewed_at,
    options: row.options,
    confirmed: row.confirmed === 1,
    isListening: row.is_listening === 1,
    health: healthOf(row),
    vault: row.vault,
  }
}
