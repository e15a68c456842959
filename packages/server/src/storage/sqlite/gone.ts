import type { Instant, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import { GONE_MS } from '../contract.ts'
import { type Birth, birthOf, type ListedRow, type MessageRows, type MessageSpot } from './message-rows.ts'
import type { QueueState } from './queue-states.ts'

/** Of all that is kept, about. */
const MOST_BYTES = 64 << 20
/** What is left when that was too much: so it is not too much again at once. */
const ROOM_BYTES = 60 << 20
/** What a message takes in memory beside its body. */
const BYTES_BESIDE_BODY = 500

/** A message that was removed, as it was before. */
interface Gone {
  readonly key: QueueKey
  readonly bucket: number
  readonly birth: string
  readonly place: number
  readonly goneAt: Instant
  /** Null: it is dropped. */
  row: ListedRow | null
  /** The one of the same project that was removed after it. */
  next: Gone | null
}

/** What is gone from a queue. */
interface Kept {
  /** Another one: the queue was emptied, and this goes with the next removal. */
  readonly bucket: number
  /** Dropped ones stay in it until half of it is dropped. */
  byPlace: Gone[]
  /** Without dropped ones. */
  readonly byBirth: Map<string, Gone>
  /** The highest place of those that were dropped before they expired; 0: none was. */
  lost: number
}

/** What is gone from all queues of a project, dropped ones included, in the order in which it went. */
interface Line {
  oldest: Gone
  newest: Gone
  bytes: number
}

type Pending = Map<string, Gone | null>

/**
 * Keeps in memory what is removed from queues that somebody follows, see `QueueEngine.keepGone`: no other process has
 * the file open, so whoever follows a queue is here. What moves of a turn remove is put aside until the turn is
 * committed. Queues that nobody keeps cost nothing. All share the memory: where it is too little, projects that keep
 * most lose what went first.
 */
export class GoneMessages {
  readonly #rows: MessageRows
  readonly #keepers = new Map<string, number>()
  /** By queue. An empty one is there as long as the queue is kept. */
  readonly #kept = new Map<string, Kept>()
  /** By bucket and birth, of the turn that is under way; null: it has come back. */
  readonly #pending = new Map<number, { readonly key: QueueKey; readonly births: Pending }>()
  /** By project. */
  readonly #lines = new Map<string, Line>()
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
      if (others > 0) return void this.#keepers.set(id, others)
      this.#keepers.delete(id)
      if (this.#kept.get(id)?.byBirth.size === 0) this.#kept.delete(id)
    }
  }

  /** These are about to be removed from the queue, or to leave it. */
  removing(state: QueueState, spots: readonly Pick<MessageSpot, 'place'>[], now: Instant): void {
    if (this.#keepers.size === 0 || !this.#keepers.has(queueId(state.key))) return
    const { key, bucket } = state
    for (const { place } of spots) {
      const row = place === null ? null : this.#rows.byPlace(state, place)
      if (place === null || row === null) continue
      const birth = nameOf(birthOf(row, state))
      this.#putAside(state, birth, { key, bucket, birth, place, row: { ...row, claim: null }, goneAt: now, next: null })
    }
  }

  /** A message moves into the queue, from which it may have gone before. */
  returning(state: QueueState, birth: Birth): void {
    if (this.#keptFrom(state) !== null || this.#pending.has(state.bucket)) this.#putAside(state, nameOf(birth), null)
  }

  isKept(key: QueueKey): boolean {
    return this.#keepers.has(queueId(key))
  }

  /** It was removed in the store that the queue comes from. */
  arrive(state: QueueState, row: ListedRow, now: Instant): void {
    const { key, bucket } = state
    const birth = nameOf(birthOf(row, state))
    this.#putAside(state, birth, { key, bucket, birth, place: row.place as number, row, goneAt: now, next: null })
  }

  /** Up to `limit` of those behind a place, in that order. */
  behind(state: QueueState, after: number, limit: number, now: Instant): ListedRow[] {
    const pending = this.#pending.get(state.bucket)?.births
    const found: { place: number; row: ListedRow }[] = []
    const add = ({ place, row }: Gone) => {
      if (row !== null && row.expires_at > now) found.push({ place, row })
    }
    const byPlace = this.#keptFrom(state)?.byPlace ?? []
    for (let i = firstBehind(byPlace, after); i < byPlace.length && found.length < limit; i++) {
      const gone = byPlace[i] as Gone
      if (!pending?.has(gone.birth)) add(gone)
    }
    for (const gone of pending?.values() ?? []) if (gone !== null && gone.place > after) add(gone)
    if (pending !== undefined) found.sort((a, b) => a.place - b.place)
    return found.slice(0, limit).map(({ row }) => row)
  }

  /** Whether something is not kept any more that `behind` would have found there. */
  hasLost(state: QueueState, after: number): boolean {
    return (this.#keptFrom(state)?.lost ?? 0) > after
  }

  /** Null where the message is not gone, or not from that place, or not kept. */
  find(state: QueueState, { incarnation, number }: Birth, place: number | null): ListedRow | null {
    const birth = nameOf({ incarnation, number })
    const pending = this.#pending.get(state.bucket)?.births.get(birth)
    const gone = pending === undefined ? this.#keptFrom(state)?.byBirth.get(birth) : pending
    return gone?.place === place ? gone.row : null
  }

  committed(): void {
    for (const { key, births } of this.#pending.values()) {
      for (const [birth, gone] of births) {
        const before = this.#kept.get(queueId(key))?.byBirth.get(birth)
        if (before !== undefined) this.#drop(before)
        if (gone !== null) this.#add(gone)
      }
    }
    this.#pending.clear()
    if (this.#bytes > MOST_BYTES) this.#makeRoom()
  }

  rolledBack(): void {
    this.#pending.clear()
  }

  /** Forgets what has been gone for long. */
  sweep(now: Instant): void {
    for (const [project, line] of this.#lines) {
      while (line.oldest.row === null || line.oldest.goneAt + GONE_MS <= now) {
        if (!this.#dropOldest(project, line, now)) break
      }
    }
  }

  #keptFrom({ key, bucket }: QueueState): Kept | null {
    const kept = this.#kept.get(queueId(key))
    return kept?.bucket === bucket ? kept : null
  }

  #putAside({ key, bucket }: QueueState, birth: string, gone: Gone | null): void {
    let pending = this.#pending.get(bucket)
    if (pending === undefined) {
      pending = { key, births: new Map() }
      this.#pending.set(bucket, pending)
    }
    pending.births.set(birth, gone)
  }

  #add(gone: Gone): void {
    const id = queueId(gone.key)
    let kept = this.#kept.get(id)
    if (kept?.bucket !== gone.bucket) {
      kept = { bucket: gone.bucket, byPlace: [], byBirth: new Map(), lost: 0 }
      this.#kept.set(id, kept)
    }
    kept.byBirth.set(gone.birth, gone)
    // Most go in their order.
    if ((kept.byPlace.at(-1)?.place ?? 0) < gone.place) kept.byPlace.push(gone)
    else kept.byPlace.splice(firstBehind(kept.byPlace, gone.place), 0, gone)
    const bytes = BYTES_BESIDE_BODY + (gone.row?.body.length ?? 0)
    this.#bytes += bytes
    const line = this.#lines.get(gone.key.project)
    if (line === undefined) {
      this.#lines.set(gone.key.project, { oldest: gone, newest: gone, bytes })
      return
    }
    line.newest.next = gone
    line.newest = gone
    line.bytes += bytes
  }

  /** Each project has as much as it keeps, or the same part of what is left by those who keep less. */
  #makeRoom(): void {
    const lines = [...this.#lines].sort(([, a], [, b]) => a.bytes - b.bytes)
    let left = ROOM_BYTES
    for (const [i, [project, line]] of lines.entries()) {
      const share = left / (lines.length - i)
      while (line.bytes > share) if (!this.#dropOldest(project, line, line.oldest.goneAt)) break
      left -= line.bytes
    }
  }

  /** False: it was the last one, and the line is gone. */
  #dropOldest(project: string, line: Line, now: Instant): boolean {
    const { oldest } = line
    const kept = this.#kept.get(queueId(oldest.key))
    const isLost = oldest.row !== null && oldest.row.expires_at > now
    if (kept?.bucket === oldest.bucket && isLost) kept.lost = Math.max(kept.lost, oldest.place)
    this.#drop(oldest)
    this.#free(line, BYTES_BESIDE_BODY)
    if (oldest.next !== null) line.oldest = oldest.next
    else this.#lines.delete(project)
    return oldest.next !== null
  }

  #drop(gone: Gone): void {
    const line = this.#lines.get(gone.key.project)
    if (gone.row === null || line === undefined) return
    this.#free(line, gone.row.body.length)
    gone.row = null
    const id = queueId(gone.key)
    const kept = this.#kept.get(id)
    if (kept?.bucket !== gone.bucket) return
    kept.byBirth.delete(gone.birth)
    if (kept.byBirth.size === 0 && !this.#keepers.has(id)) this.#kept.delete(id)
    else if (kept.byPlace.length > 2 * kept.byBirth.size) {
      kept.byPlace = kept.byPlace.filter(({ row }) => row !== null)
    }
  }

  #free(line: Line, bytes: number): void {
    line.bytes -= bytes
    this.#bytes -= bytes
  }
}

function nameOf({ incarnation, number }: Birth): string {
  return `${incarnation}.${number}`
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
