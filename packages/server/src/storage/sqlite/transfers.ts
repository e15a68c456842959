import type { Instant, WholeMessage } from '../../model/model.ts'
import type { ArrivingMessage } from '../contract.ts'
import type { Opened } from '../sealed-id.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import {
  type Birth,
  LISTED,
  LISTED_DELAYED,
  type ListedRow,
  unsealedId,
  unsealedPlace,
  unsealedPosting,
} from './message-rows.ts'
import type { QueueState } from './queue-states.ts'

interface ExportedRow extends ListedRow {
  readonly came_from: string | null
  readonly due_at: Instant | null
}

/** Reads queues whole, and writes them whole. */
export class Transfers {
  readonly #engine: Engine
  readonly #placed
  readonly #delayed
  readonly #isTaken
  readonly #isNumbered
  readonly #insert
  readonly #insertDelayed
  readonly #arrived
  readonly #putArrival

  constructor(engine: Engine) {
    this.#engine = engine
    const { db } = engine
    this.#placed = limited(
      db,
      `SELECT ${LISTED}, came_from, NULL AS due_at FROM message
       WHERE bucket = ? AND place > ? AND expires_at > ? ORDER BY place`,
    )
    this.#delayed = limited(
      db,
      `SELECT ${LISTED_DELAYED}, NULL AS came_from, due_at FROM delayed
       WHERE bucket = ? AND number > ? AND expires_at > ? ORDER BY number`,
    )
    this.#isTaken = db.prepare('SELECT 1 FROM message WHERE bucket = ? AND place = ?')
    this.#isNumbered = db.prepare('SELECT 1 FROM delayed WHERE bucket = ? AND number = ?')
    this.#insert = db.prepare(
      `INSERT INTO message (bucket, place, born_incarnation, born, posted, claim_count, came_from, expires_at, ttl, created_at,
         client, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#insertDelayed = db.prepare(
      `INSERT INTO delayed (bucket, number, born_incarnation, born, due_at, expires_at, ttl, created_at, client, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#arrived = db.prepare('SELECT number FROM arrival WHERE queue = ? AND incarnation = ?')
    this.#putArrival = db.prepare('INSERT OR REPLACE INTO arrival (queue, incarnation, number) VALUES (?, ?, ?)')
  }

  end({ incarnation, last }: QueueState): string {
    return this.#engine.sealer.seal({ kind: 'marker', number: last, incarnation, createdAt: 0 })
  }

  export(
    state: QueueState,
    after: string | null,
    limit: number,
    now: Instant,
  ): { messages: WholeMessage[]; marker: string | null; end: string } {
    const { sealer } = this.#engine
    const page = this.#behind(state, after, limit, now)
    const { incarnation } = state
    const postings = sealer.sealAll(page.map((row) => unsealedPosting(row, incarnation)))
    const places = sealer.sealAll(page.filter(isPlaced).map((row) => unsealedPlace(row, incarnation)))
    const ids = sealer.sealAll(page.map((row) => unsealedId(row, state)))
    const messages = page.map(
      (row, i): WholeMessage => ({
        id: ids[i] as string,
        body: row.body,
        clientId: row.client,
        ttlSeconds: row.ttl,
        createdAt: row.created_at,
        visibleAt: row.due_at ?? row.created_at,
        expiresAt: row.expires_at,
        claimCount: row.claim_count,
        cameFrom: row.came_from,
        // Those that have a place come first.
        marker: places[i] ?? null,
        posting: postings[i] as string,
      }),
    )
    const last = messages.at(-1)
    return { messages, marker: last?.marker ?? last?.posting ?? null, end: this.end(state) }
  }

  import(state: QueueState, messages: readonly ArrivingMessage[], end: string | null, now: Instant): void {
    const { sealer, states, rows, feed, gone, tell } = this.#engine
    const goal = end === null ? null : sealer.open('marker', end)
    if (goal !== null && state.last === 0) states.goOnAs(state, goal.incarnation)
    const isSame = goal?.incarnation === state.incarnation
    if (isSame) state.last = Math.max(state.last, goal.number)
    for (const message of messages) {
      if (message.departure !== undefined && !this.#arrives(state, message.departure)) continue
      const id = sealer.open('message', message.id)
      if (message.expiresAt <= now || (id !== null && rows.isKnown(state, id))) continue
      if (id !== null) gone.returning(state, id)
      this.#store(state, message, id, isSame, now)
      state.free += 1
      state.bytes += Buffer.byteLength(message.body)
    }
    feed.foresee(state)
    states.touch(state)
    tell(state)
  }

  /** By place, and then the delayed ones by number. */
  #behind({ bucket, incarnation }: QueueState, after: string | null, limit: number, now: Instant): ExportedRow[] {
    const { sealer } = this.#engine
    const inQueue = (opened: Opened | null) => (opened?.incarnation === incarnation ? opened.number : null)
    const number = after === null ? null : inQueue(sealer.open('posting', after))
    const place = (after === null ? null : inQueue(sealer.open('marker', after))) ?? 0
    const placed = number === null ? this.#placed(limit).all(bucket, place, now) : []
    const left = limit - placed.length
    const delayed = left === 0 ? [] : this.#delayed(left).all(bucket, number ?? 0, now)
    return [...placed, ...delayed] as unknown as ExportedRow[]
  }

  /** Whether the departure arrives for the first time. */
  #arrives({ number: queue }: QueueState, departure: string): boolean {
    const opened = this.#engine.sealer.open('departure', departure)
    if (opened === null) return true
    const { incarnation, number } = opened
    const known = this.#arrived.get(queue, incarnation) as { number: number } | undefined
    if (known !== undefined && number <= known.number) return false
    this.#putArrival.run(queue, incarnation, number)
    return true
  }

  /** `isSame`: the queue is what the message comes from, and has its places. */
  #store(state: QueueState, message: ArrivingMessage, id: Opened | null, isSame: boolean, now: Instant): void {
    const { bucket, incarnation } = state
    const { clientId, body, ttlSeconds, createdAt, expiresAt, visibleAt, claimCount, cameFrom } = message
    const posting = isSame && message.posting !== null ? this.#engine.sealer.open('posting', message.posting) : null
    const posted = posting?.incarnation === incarnation ? posting.number : null
    if (message.marker === null && visibleAt > now) {
      const isFree = posted !== null && this.#isNumbered.get(bucket, posted) === undefined
      const number = isFree ? posted : state.last + 1
      const [bornIncarnation, born] = birthBeside(id, { incarnation, number })
      this.#insertDelayed.run(
        ...[bucket, number, bornIncarnation, born, visibleAt, expiresAt, ttlSeconds, createdAt, clientId, body],
      )
      state.last = Math.max(state.last, number)
      state.dueAt = Math.min(state.dueAt, visibleAt, expiresAt)
      state.delays = true
      return
    }
    const marker = isSame && message.marker !== null ? this.#engine.sealer.open('marker', message.marker) : null
    const isFree = marker?.incarnation === incarnation && this.#isTaken.get(bucket, marker.number) === undefined
    const place = isFree ? marker.number : state.last + 1
    const [bornIncarnation, born] = birthBeside(id, { incarnation, number: place })
    this.#insert.run(
      ...[bucket, place, bornIncarnation, born, posted === place ? null : posted, claimCount, cameFrom],
      ...[expiresAt, ttlSeconds, createdAt, clientId, body],
    )
    if (posted !== null && posted !== place) state.delays = true
    state.last = Math.max(state.last, place)
    state.fresh = Math.min(state.fresh, place)
    state.live = Math.min(state.live, place)
    state.firstReturned = Math.min(state.firstReturned, place)
    state.expiresAt = Math.min(state.expiresAt, expiresAt)
  }
}

function isPlaced({ place }: ListedRow): boolean {
  return place !== null
}

/** What has to be kept of an id that does not follow from where the message stands. */
function birthBeside(id: Birth | null, here: Birth): [incarnation: number | null, number: number | null] {
  if (id === null || (id.incarnation === here.incarnation && id.number === here.number)) return [null, null]
  return [id.incarnation, id.number]
}
