import type { Instant } from '../../model/model.ts'
import { type IdempotencyKey, type MessageStore, type NewMessage, STALE } from '../contract.ts'
import type { Unsealed } from '../sealed-id.ts'
import { DeadLetters } from './dead-letters.ts'
import { Departures } from './departures.ts'
import type { Engine } from './engine.ts'
import { birthOf, type ListedRow, type Page } from './message-rows.ts'
import { NEVER, type QueueState } from './queue-states.ts'
import { Transfers } from './transfers.ts'
import { Unfinished } from './turns.ts'

/** Rows that a listing looks at in one turn while it passes over those of the client that asks. */
const LOOKS_PER_TURN = 1_000

/** What the ids of a POST follow from. */
interface Posted {
  readonly first: number
  readonly count: number
  readonly created_at: Instant
}

interface RecordRow extends Posted {
  readonly key: string
  readonly digest: string
  readonly expires_at: Instant
}

/** Messages that a listing found in a bucket, up to where it looked last. */
interface ListedSoFar {
  readonly bucket: number
  readonly found: readonly ListedRow[]
  readonly position: number
}

export function createMessageStore(engine: Engine): MessageStore {
  const { db, turns, states, sealer, rows, feed, settling, gone, onQueue } = engine
  const departures = new Departures(engine)
  const deadLetters = new DeadLetters(engine, departures)
  const transfers = new Transfers(engine)
  const insert = db.prepare(
    `INSERT INTO message (bucket, place, expires_at, ttl, created_at, client, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  const insertDelayed = db.prepare(
    `INSERT INTO delayed (bucket, number, expires_at, ttl, created_at, client, body, due_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const findRecord = db.prepare('SELECT * FROM idempotency WHERE bucket = ? AND key = ?')
  const putRecord = db.prepare(
    `INSERT OR REPLACE INTO idempotency (bucket, key, digest, expires_at, first, count, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )

  /** Stores the messages at the end of the queue, with consecutive numbers. */
  function store(state: QueueState, messages: readonly NewMessage[], client: string, now: Instant): Posted {
    const { bucket } = state
    const first = state.last + 1
    for (const { body, ttlSeconds, delaySeconds } of messages) {
      state.last += 1
      const expiresAt = now + ttlSeconds * 1000
      if (delaySeconds === 0) {
        insert.run(bucket, state.last, expiresAt, ttlSeconds, now, client, body)
        if (expiresAt < state.expiresAt) state.expiresAt = expiresAt
        if (state.listens) feed.enter(state, { born: state.last, createdAt: now, ttlSeconds, clientId: client, body })
      } else {
        const dueAt = now + delaySeconds * 1000
        insertDelayed.run(bucket, state.last, expiresAt, ttlSeconds, now, client, body, dueAt)
        state.dueAt = Math.min(state.dueAt, dueAt, expiresAt)
        state.delays = true
        feed.foresee(state)
      }
      state.bytes += Buffer.byteLength(body)
    }
    state.free += messages.length
    states.touch(state)
    engine.tell(state)
    return { first, count: messages.length, created_at: now }
  }

  function idsOf({ incarnation }: QueueState, { first, count, created_at: createdAt }: Posted): string[] {
    const unsealed: Unsealed[] = []
    for (let number = first; number < first + count; number++)
      unsealed.push({ kind: 'message', number, incarnation, createdAt })
    return sealer.sealAll(unsealed)
  }

  function record(state: QueueState, { key, digest, expiresAt }: IdempotencyKey, posted: Posted): void {
    const { first, count, created_at } = posted
    putRecord.run(state.bucket, key, digest, expiresAt, first, count, created_at)
    state.bytes += recordBytes({ key, digest })
    if (expiresAt < state.expiresAt) state.expiresAt = expiresAt
  }

  const claimLives = db.prepare('SELECT 1 FROM claim WHERE bucket = ? AND number = ?')

  return {
    append: ({ queue, clientId, messages, idempotency, now }) =>
      onQueue(
        queue,
        now,
        (state, now) => {
          if (!idempotency) return { ids: idsOf(state, store(state, messages, clientId, now)) }
          const known = findRecord.get(state.bucket, idempotency.key) as unknown as RecordRow | undefined
          if (known !== undefined && known.expires_at > now) {
            return known.digest === idempotency.digest ? { ids: idsOf(state, known) } : 'conflict'
          }
          if (known !== undefined) state.bytes -= recordBytes(known)
          const posted = store(state, messages, clientId, now)
          record(state, idempotency, posted)
          return { ids: idsOf(state, posted) }
        },
        bytesOf(messages),
      ),

    list({ queue, after, limit, hideClientId, includeClaimed, includeDelayed, includeGone, withMarkers = false, now }) {
      const showsGone = includeGone === true && !includeDelayed
      return onQueue(queue, now, (state, now, earlier: ListedSoFar | undefined) => {
        // Another bucket: the queue was emptied between two turns.
        const soFar = earlier?.bucket === state.bucket ? earlier : undefined
        let position = soFar?.position ?? positionIn(state, after)
        // What was found in an earlier turn may have gone in the meantime.
        const found = (soFar?.found ?? []).flatMap((row) => {
          const birth = birthOf(row, state)
          return rows.isKnown(state, birth) ? row : ((showsGone ? gone.find(state, birth, row.place) : null) ?? [])
        })
        for (let looks = LOOKS_PER_TURN; found.length < limit; ) {
          const live = includeDelayed
            ? rows.postedPage(state, includeClaimed, position, now, limit)
            : rows.page(state, includeClaimed, position, now, limit)
          const page = showsGone ? withGone(live, gone.behind(state, position, limit, now), limit) : live
          for (const row of page.rows) {
            looks -= 1 + row.body.length / 1_000
            if (row.client !== hideClientId && found.length < limit) found.push(row)
          }
          if (page.end === null) break
          position = page.end
          if (looks <= 0 && found.length < limit) {
            return new Unfinished<ListedSoFar>({ bucket: state.bucket, found, position })
          }
        }
        const page = rows.toPage(found, state, { isByPosting: includeDelayed, withMarkers })
        return showsGone && gone.hasLost(state, positionIn(state, after)) ? { ...page, missed: true } : page
      })
    },

    get: ({ queue, ids, now }) =>
      onQueue(queue, now, (state, now) => rows.toMessages(rows.byIds(state, ids, now), state)),

    delete: ({ queue, id, claimId, now }) =>
      onQueue(queue, now, (state, now) => {
        const spot = rows.spot(state, id, now)
        if (spot === null) return 'absent'
        if (claimId !== null) {
          if (spot.claim === null) return 'not-claimed'
          const claim = engine.claimNumber(state, claimId)
          // One that lives holds something, or it would be gone.
          if (claim !== spot.claim) {
            return claim !== null && claimLives.get(state.bucket, claim) ? 'held' : 'claim-not-live'
          }
        } else if (spot.claim !== null) return 'held'
        settling.consume(state, [spot], now)
        return 'deleted'
      }),

    deleteMany: ({ queue, ids, claimIds, now }) =>
      onQueue(queue, now, (state, now) => {
        const spots = rows.spots(state, ids, now)
        if (claimIds !== null) {
          const claims = new Set(claimIds.map((claimId) => engine.claimNumber(state, claimId)))
          if (spots.some(({ claim }) => claim === null || !claims.has(claim))) return 'held'
        }
        settling.consume(state, spots, now)
        return { deleted: spots.length }
      }),

    pop: ({ queue, limit, deadLetter, now }) =>
      onQueue(queue, now, (state, now) => {
        const taken = deadLetters.firstDeliverable(state, limit, deadLetter, now)
        if (taken instanceof Unfinished) return taken
        rows.took(state, taken)
        settling.consume(
          state,
          taken.map((row) => ({ ...row, bytes: Buffer.byteLength(row.body) })),
          now,
        )
        return rows.toMessages(taken, state)
      }),

    purge: ({ queue, now }) =>
      turns.submit(() => {
        const state = states.open(queue)
        if (state === STALE) return STALE
        const actual = engine.latest.notBefore(now)
        // Of messages whose delay is over subscribers are told, whatever becomes of them then.
        if (state.listens && !settling.settle(state, actual)) return new Unfinished()
        states.replaceBuckets(state, { messages: true, subscriptions: false })
        return 'purged' as const
      }),

    redrive: ({ queue, ids, limit, elsewhere, now }) =>
      onQueue(queue, now, (state, now) =>
        deadLetters.redrive(state, { ids, limit, elsewhere: new Set(elsewhere) }, now),
      ),

    origins: ({ queue, ids, limit, now }) =>
      onQueue(queue, now, (state, now) => deadLetters.origins(state, ids, limit, now)),

    end: ({ queue, now }) => onQueue(queue, now, (state) => transfers.end(state)),

    export: ({ queue, after, limit, now }) =>
      onQueue(queue, now, (state, now) => transfers.export(state, after, limit, now)),

    import: ({ queue, messages, end, now }) =>
      onQueue(
        queue,
        now,
        (state, now) => {
          transfers.import(state, messages, end, now)
          return 'stored' as const
        },
        bytesOf(messages),
      ),

    departures: ({ after, limit, now }) =>
      turns.submit(() => departures.list(after, limit, engine.latest.notBefore(now))),

    departed: ({ ids }) => turns.submit(() => departures.remove(ids)),
  }

  /** An id stands for the POST of its message. What is no id or marker of this queue stands for the beginning. */
  function positionIn({ incarnation }: QueueState, after: string | null): number {
    if (after === null) return 0
    const opened = sealer.open('message', after) ?? sealer.open('marker', after) ?? sealer.open('posting', after)
    return opened?.incarnation === incarnation ? opened.number : 0
  }
}

/** What a record of a POST counts for in bytes. */
function recordBytes({ key, digest }: { readonly key: string; readonly digest: string }): number {
  return Buffer.byteLength(key) + Buffer.byteLength(digest)
}

/** A page by place, and up to `limit` messages that are gone from behind the same place. */
function withGone(live: Page, gone: readonly ListedRow[], limit: number): Page {
  if (gone.length === 0) return live
  const placeOf = ({ place }: ListedRow) => place as number
  // Behind the last one there may be more that is gone.
  const end = Math.min(live.end ?? NEVER, gone.length < limit ? NEVER : placeOf(gone.at(-1) as ListedRow))
  const rows = [...live.rows, ...gone].filter((row) => placeOf(row) <= end).sort((a, b) => placeOf(a) - placeOf(b))
  return { rows, end: end === NEVER ? null : end }
}

/** About. */
function bytesOf(messages: readonly { readonly body: string }[]): number {
  return messages.reduce((sum, { body }) => sum + body.length, 0)
}
