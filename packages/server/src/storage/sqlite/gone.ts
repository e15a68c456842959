import type { Instant, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import { GONE_MS } from '../contract.ts'
import { type Birth, birthOf, type ListedRow, type MessageRows, type MessageSpot } from './message-rows.ts'
import type { QueueState } from './queue-states.ts'

/** Of all that is kept, about. Enough for 6,000 small messages a second; where there are more, the oldest go sooner. */
const MOST_BYTES = 16 << 20
/** What a message takes in memory beside its body. */
const BYTES_BESIDE_BODY = 500

/** A message that was removed, as it was before. */
interface Gone {
  readonly bucket: number
  readonly birth: string
  readonly place: number
  readonly goneAt: Instant
  /** Null: it is dropped. */
  row: ListedRow | null
  /** The one that was removed after it. */
  next: Gone | null
}

/** What is gone from a bucket; dropped ones stay in `byPlace` until half of it is dropped. */
interface Kept {
  byPlace: Gone[]
  /** Without dropped ones. */
  readonly byBirth: Map<string, Gone>
}

/**
 * Keeps in memory what is removed from queues that somebody follows, see `QueueEngine.keepGone`: no other process has
 * the file open, so whoever follows a queue is here. What moves of a turn remove is put aside until the turn is
 * committed. Queues that nobody keeps cost nothing.
 */
export class GoneMessages {
  readonly #rows: MessageRows
  readonly #keepers = new Map<string, number>()
  readonly #kept = new Map<number, Kept>()
  /** By bucket and birth, of the turn that is under way; null: it has come back. */
  readonly #pending = new Map<number, Map<string, Gone | null>>()
  #oldest: Gone | null = null
  #newest: Gone | null = null
  #bytes = 0

  constructor(rows: MessageRows) {
    this.#rows = rows
  }

  keep(key: QueueKey): () => void {
    const id = queueId(key)
    this.#keepers.set(id, (this.#keepers.get(id) ?? 0) + 1)
    let hasEnded = false
    return () => {
      if (hasEnded) return
      hasEnded = true
      const others = (this.#keepers.get(id) ?? 1) - 1
      if (others === 0) this.#keepers.delete(id)
      else this.#keepers.set(id, others)
    }
  }

  /** These are about to be removed from the queue, or to leave it. */
  removing(state: QueueState, spots: readonly Pick<MessageSpot, 'place'>[], now: Instant): void {
    if (this.#keepers.size === 0 || !this.#keepers.has(queueId(state.key))) return
    const { bucket } = state
    for (const { place } of spots) {
      const row = place === null ? null : this.#rows.byPlace(state, place)
      if (place === null || row === null) continue
      const birth = nameOf(birthOf(row, state))
      this.#putAside(bucket, birth, { bucket, birth, place, row: { ...row, claim: null }, goneAt: now, next: null })
    }
  }

  /** A message moves into the queue, from which it may have gone before. */
  returning({ bucket }: QueueState, birth: Birth): void {
    if (this.#kept.has(bucket) || this.#pending.has(bucket)) this.#putAside(bucket, nameOf(birth), null)
  }

  /** Up to `limit` of those behind a place, in that order. */
  behind({ bucket }: QueueState, after: number, limit: number, now: Instant): ListedRow[] {
    this.sweep(now)
    const pending = this.#pending.get(bucket)
    const found: { place: number; row: ListedRow }[] = []
    const add = ({ place, row }: Gone) => {
      if (row !== null && row.expires_at > now) found.push({ place, row })
    }
    const { byPlace = [] } = this.#kept.get(bucket) ?? {}
    for (let i = firstBehind(byPlace, after); i < byPlace.length && found.length < limit; i++) {
      const gone = byPlace[i] as Gone
      if (!pending?.has(gone.birth)) add(gone)
    }
    for (const gone of pending?.values() ?? []) if (gone !== null && gone.place > after) add(gone)
    if (pending !== undefined) found.sort((a, b) => a.place - b.place)
    return found.slice(0, limit).map(({ row }) => row)
  }

  /** Null where the message is not gone, or not from that place, or not kept. */
  find({ bucket }: QueueState, { incarnation, number }: Birth, place: number | null): ListedRow | null {
    const birth = nameOf({ incarnation, number })
    const pending = this.#pending.get(bucket)?.get(birth)
    const gone = pending === undefined ? this.#kept.get(bucket)?.byBirth.get(birth) : pending
    return gone?.place === place ? gone.row : null
  }

  committed(): void {
    for (const [bucket, all] of this.#pending) {
      for (const [birth, gone] of all) {
        const before = this.#kept.get(bucket)?.byBirth.get(birth)
        if (before !== undefined) this.#drop(before)
        if (gone !== null) this.#add(gone)
      }
    }
    this.#pending.clear()
  }

  rolledBack(): void {
    this.#pending.clear()
  }

  /** Forgets what has been gone for long, and the oldest of what is too much. */
  sweep(now: Instant): void {
    for (let gone = this.#oldest; gone !== null; gone = gone.next) {
      if (gone.row !== null && gone.goneAt + GONE_MS > now && this.#bytes <= MOST_BYTES) break
      this.#drop(gone)
      this.#oldest = gone.next
    }
    if (this.#oldest === null) this.#newest = null
  }

  #putAside(bucket: number, birth: string, gone: Gone | null): void {
    let pending = this.#pending.get(bucket)
    if (pending === undefined) {
      pending = new Map()
      this.#pending.set(bucket, pending)
    }
    pending.set(birth, gone)
  }

  #add(gone: Gone): void {
    let kept = this.#kept.get(gone.bucket)
    if (kept === undefined) {
      kept = { byPlace: [], byBirth: new Map() }
      this.#kept.set(gone.bucket, kept)
    }
    kept.byBirth.set(gone.birth, gone)
    // Most go in their order.
    if ((kept.byPlace.at(-1)?.place ?? 0) < gone.place) kept.byPlace.push(gone)
    else kept.byPlace.splice(firstBehind(kept.byPlace, gone.place), 0, gone)
    if (this.#newest === null) this.#oldest = gone
    else this.#newest.next = gone
    this.#newest = gone
    if (gone.row !== null) this.#bytes += bytesOf(gone.row)
    this.sweep(gone.goneAt)
  }

  #drop(gone: Gone): void {
    if (gone.row === null) return
    this.#bytes -= bytesOf(gone.row)
    gone.row = null
    const kept = this.#kept.get(gone.bucket)
    if (kept === undefined) return
    kept.byBirth.delete(gone.birth)
    if (kept.byBirth.size === 0) this.#kept.delete(gone.bucket)
    else if (kept.byPlace.length > 2 * kept.byBirth.size) {
      kept.byPlace = kept.byPlace.filter(({ row }) => row !== null)
    }
  }
}

function nameOf({ incarnation, number }: Birth): string {
  return `${incarnation}.${number}`
}

function bytesOf({ body }: ListedRow): number {
  return body.length + BYTES_BESIDE_BODY
}

/** The index of the first that stands behind the place. */
function firstBehind(byPlace: readonly Gone[], place: number): number {
  let [from, to] = [0, byPlace.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((byPlace[middle] as Gone).place > place) to = middle
    else from = middle + 1
  }
  return from
}
