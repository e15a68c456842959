import type { Instant } from '../../model/model.ts'
import { type IdempotencyKey, type MessageStore, type NewMessage, STALE } from '../contract.ts'
import { instantBits, type Unsealed } from '../sealed-id.ts'
import { DeadLetters } from './dead-letters.ts'
import type { Engine } from './engine.ts'
import { BEGINNING, type Cursor, type ListedRow } from './message-rows.ts'
import type { QueueState } from './queue-states.ts'
import { Unfinished } from './turns.ts'

/** Rows that a listing looks at in one turn while it passes over those of the client that asks. */
const LOOKS_PER_TURN = 1_000

/** What the ids of a POST follow from. */
interface Posted {
  readonly first: number
  readonly count: number
  readonly posted_at: Instant
}

interface RecordRow extends Posted {
  readonly key: string
  readonly digest: string
  readonly expires_at: Instant
}

/** Messages that a listing found, up to where it looked last. */
interface ListedSoFar {
  readonly found: readonly ListedRow[]
  readonly cursor: Cursor
}

export function createMessageStore(engine: Engine): MessageStore {
  const { db, turns, states, numbers, sealer, rows, settling, onQueue } = engine
  const deadLetters = new DeadLetters(engine)
  const insert = db.prepare(
    `INSERT INTO messages
       (number, bucket, place, visible_at, delayed, expires_at, held, claim, claim_count, ttl, created_at, born, origin, client, body)
     VALUES (?1, ?2, ?1, ?3, ?4, ?5, 0, NULL, 0, ?6, ?7, ?2, NULL, ?8, ?9)`,
  )
  const findRecord = db.prepare('SELECT * FROM idempotency WHERE bucket = ? AND key = ?')
  const putRecord = db.prepare(
    `INSERT OR REPLACE INTO idempotency (bucket, key, digest, expires_at, first, count, posted_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )

  /** Stores the messages at the end of the queue, with consecutive numbers. */
  function store(state: QueueState, messages: readonly NewMessage[], client: string, now: Instant): Posted {
    const { bucket } = state
    const first = numbers.take(messages.length)
    for (let i = 0; i < messages.length; i++) {
      const { body, ttlSeconds, delaySeconds } = messages[i] as NewMessage
      const number = first + i
      const visibleAt = now + delaySeconds * 1000
      const expiresAt = now + ttlSeconds * 1000
      const delayed = delaySeconds > 0 ? 1 : 0
      insert.run(number, bucket, visibleAt, delayed, expiresAt, ttlSeconds, now, client, body)
      state.bytes += Buffer.byteLength(body)
      if (expiresAt < state.nextEnd) state.nextEnd = expiresAt
    }
    if (messages.some(({ delaySeconds }) => delaySeconds > 0)) state.delays = true
    state.free += messages.length
    states.touch(state)
    engine.announce(state)
    return { first, count: messages.length, posted_at: now }
  }

  function idsOf({ bucket }: QueueState, { first, count, posted_at: instant }: Posted): string[] {
    const unsealed: Unsealed[] = []
    for (let number = first; number < first + count; number++)
      unsealed.push({ kind: 'message', createdAt: bucket, number, incarnation: instant })
    return sealer.sealAll(unsealed)
  }

  function record(state: QueueState, { key, digest, expiresAt }: IdempotencyKey, posted: Posted): void {
    const { first, count, posted_at } = posted
    putRecord.run(state.bucket, key, digest, expiresAt, first, count, posted_at)
    state.bytes += recordBytes({ key, digest })
    if (expiresAt < state.nextEnd) state.nextEnd = expiresAt
  }

  /** What a delete with a claim id has to know: does that claim live? It holds something, or it would be gone. */
  function claimNumber(state: QueueState, claimId: string): number | null {
    const opened = sealer.open('claim', claimId)
    return opened !== null && opened.createdAtBits === instantBits(state.bucket) ? opened.number : null
  }
  const claimLives = db.prepare('SELECT 1 FROM claims WHERE number = ? AND bucket = ?')

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

    list({ queue, after, limit, hideClientId, includeClaimed, includeDelayed, now }) {
      return onQueue(queue, now, (state, now, soFar: ListedSoFar | undefined) => {
        let cursor = soFar?.cursor ?? cursorOf(state, after)
        // What was found in an earlier turn may have gone in the meantime.
        const found = soFar?.found.filter(({ number }) => rows.byNumber(state.bucket, number) !== null) ?? []
        for (let looks = LOOKS_PER_TURN; found.length < limit; ) {
          const page = rows.page(state, { includeClaimed, includeDelayed }, cursor, now, limit)
          for (const row of page) {
            looks -= 1 + row.body.length / 1_000
            if (row.client !== hideClientId && found.length < limit) found.push(row)
          }
          cursor = page.at(-1) ?? cursor
          if (page.length < limit) break
          if (looks <= 0 && found.length < limit) return new Unfinished<ListedSoFar>({ found, cursor })
        }
        const last = found.at(-1)
        return {
          messages: rows.toMessages(found, state.bucket),
          marker: last
            ? sealer.seal({ kind: 'message', createdAt: state.bucket, number: last.place, incarnation: last.instant })
            : null,
        }
      })
    },

    get: ({ queue, ids, now }) =>
      onQueue(queue, now, (state, now) => rows.toMessages(rows.byIds(state, ids, now), state.bucket)),

    delete: ({ queue, id, claimId, now }) =>
      onQueue(queue, now, (state, now) => {
        const row = rows.byId(state, id, now)
        if (row === null) return 'absent'
        if (claimId !== null) {
          if (row.claim === null) return 'not-claimed'
          const claim = claimNumber(state, claimId)
          if (claim !== row.claim) {
            return claim !== null && claimLives.get(claim, state.bucket) ? 'held' : 'claim-not-live'
          }
        } else if (row.claim !== null) return 'held'
        settling.remove(state, row, Buffer.byteLength(row.body))
        return 'deleted'
      }),

    deleteMany: ({ queue, ids, claimIds, now }) =>
      onQueue(queue, now, (state, now) => {
        const found = rows.byIds(state, ids, now)
        if (claimIds !== null) {
          const claims = new Set(claimIds.map((claimId) => claimNumber(state, claimId)))
          if (found.some(({ claim }) => claim === null || !claims.has(claim))) return 'held'
        }
        for (const row of found) settling.remove(state, row, Buffer.byteLength(row.body))
        return 'deleted'
      }),

    pop: ({ queue, limit, deadLetter, now }) =>
      onQueue(queue, now, (state, now) => {
        const taken = deadLetters.firstDeliverable(state, limit, deadLetter, now)
        if (taken instanceof Unfinished) return taken
        for (const row of taken) settling.remove(state, row, Buffer.byteLength(row.body))
        return rows.toMessages(taken, state.bucket)
      }),

    purge: ({ queue, now }) =>
      turns.submit(() => {
        const state = states.open(queue)
        if (state === STALE) return STALE
        numbers.notBefore(now)
        states.replaceBuckets(state, { messages: true, subscriptions: false })
        return 'purged' as const
      }),

    redrive: ({ queue, ids, limit, now }) =>
      onQueue(queue, now, (state, now) => deadLetters.redrive(state, ids, limit, now)),
  }

  /** An id tells the instant of its POST, a marker the one in whose order the page went. */
  function cursorOf(state: QueueState, after: string | null): Cursor {
    const opened = after === null ? null : sealer.open('message', after)
    if (opened === null || opened.createdAtBits !== instantBits(state.bucket)) return BEGINNING
    return { instant: opened.incarnation, place: opened.number }
  }
}

/** What a record of a POST counts for in bytes. */
function recordBytes({ key, digest }: { readonly key: string; readonly digest: string }): number {
  return Buffer.byteLength(key) + Buffer.byteLength(digest)
}

/** About. */
function bytesOf(messages: readonly NewMessage[]): number {
  return messages.reduce((sum, { body }) => sum + body.length, 0)
}
