import type { Instant, QueueKey } from '../model/model.ts'
import type { Clock, StartTimeLimit } from '../platform/clock.ts'
import type { CensusStore, CountedQueue } from '../storage/contract.ts'
import { OWN_PROJECT } from './rules/projects.ts'

/** What there is of a project, or of a queue. */
export interface Sums {
  readonly queues: number
  readonly free: number
  readonly claimed: number
  /** Null: there is no message. */
  readonly oldestAt: Instant | null
}

export interface CensusFigures {
  /** The projects with the most messages, the first the one with the most. */
  readonly projects: readonly (Sums & { readonly project: string })[]
  /** Of all others; null where there are none. */
  readonly others: Sums | null
  /** Of those that are asked for, as far as there are any. */
  readonly queues: readonly CountedQueue[]
  /** See `CensusStore.owed`; neither is more than `MOST_OWED`. */
  readonly owed: { readonly feed: number; readonly retries: number }
  /** When the counting began. */
  readonly at: Instant
}

export interface CensusParts {
  readonly store: CensusStore
  readonly clock: Pick<Clock, 'now'>
  readonly startTimeLimit: StartTimeLimit
  readonly maxProjects: number
  /** Which queues are told of one by one. */
  readonly queues: readonly { readonly project: string; readonly queue: string }[]
  /** Told of what kept it from counting. */
  report(error: unknown): void
}

/** Queues that one move counts: a millisecond or two. */
const QUEUES_AT_ONCE = 500
export const MOST_OWED = 10_000
/** Figures are good for so long, in milliseconds, however many ask. */
const REMEMBERED_MS = 10_000
/** Who asks waits for newer ones for so long at most, in milliseconds, and gets the ones before. */
const PATIENCE_MS = 1_000

const NOTHING: Sums = { queues: 0, free: 0, claimed: 0, oldestAt: null }

/**
 * Counts what is in the store when somebody asks, a few queues at a time, in the order of their projects: so only the
 * figures of the largest projects are held, however many there are.
 */
export class Census {
  readonly #parts: CensusParts
  #latest: CensusFigures | null = null
  #counting: Promise<void> | null = null

  constructor(parts: CensusParts) {
    this.#parts = parts
  }

  /** Null where nothing was counted yet. */
  async figures(): Promise<CensusFigures | null> {
    const { clock, startTimeLimit, report } = this.#parts
    if (this.#latest !== null && clock.now() < this.#latest.at + REMEMBERED_MS) return this.#latest
    this.#counting ??= this.#count()
      .catch(report)
      .finally(() => {
        this.#counting = null
      })
    const { promise: tooLate, resolve } = Promise.withResolvers<void>()
    const limit = startTimeLimit(PATIENCE_MS, resolve)
    await Promise.race([this.#counting, tooLate])
    limit.cancel()
    return this.#latest
  }

  async #count(): Promise<void> {
    const { store, clock, maxProjects, queues: named } = this.#parts
    const at = clock.now()
    const owed = await store.owed({ limit: MOST_OWED })
    const largest = new Largest(maxProjects)
    const wanted = new Set(named.map(({ project, queue }) => nameOf(project, queue)))
    const queues: CountedQueue[] = []
    let present: (Sums & { readonly project: string }) | null = null
    let after: QueueKey | null = null
    for (;;) {
      const page: CountedQueue[] = await store.queues({ after, limit: QUEUES_AT_ONCE })
      for (const queue of page) {
        if (queue.project === OWN_PROJECT) continue
        if (present !== null && present.project !== queue.project) largest.add(present)
        const before: Sums = present?.project === queue.project ? present : NOTHING
        present = { project: queue.project, ...sumOf(before, { ...queue, queues: 1 }) }
        if (queue.kind === 'queue' && wanted.has(nameOf(queue.project, queue.name))) queues.push(queue)
      }
      after = page.at(-1) ?? null
      if (page.length < QUEUES_AT_ONCE) break
    }
    if (present !== null) largest.add(present)
    this.#latest = { projects: largest.projects, others: largest.others, queues, owed, at }
  }
}

/** The projects with the most messages, and the sum of the others. */
class Largest {
  readonly #most: number
  readonly projects: (Sums & { readonly project: string })[] = []
  others: Sums | null = null

  constructor(most: number) {
    this.#most = most
  }

  add(one: Sums & { readonly project: string }): void {
    // Its figures would be taken for those of the others.
    if (one.project === OTHERS) {
      this.#addToOthers(one)
      return
    }
    const place = this.projects.findIndex((other) => messagesOf(other) < messagesOf(one))
    this.projects.splice(place < 0 ? this.projects.length : place, 0, one)
    if (this.projects.length <= this.#most) return
    this.#addToOthers(this.projects.pop() as Sums)
  }

  #addToOthers(one: Sums): void {
    this.others = sumOf(this.others ?? NOTHING, one)
  }
}

/** What stands in the place of a project's name for all others. */
export const OTHERS = 'other'

function sumOf(one: Sums, other: Sums): Sums {
  return {
    queues: one.queues + other.queues,
    free: one.free + other.free,
    claimed: one.claimed + other.claimed,
    oldestAt: one.oldestAt === null ? other.oldestAt : Math.min(one.oldestAt, other.oldestAt ?? one.oldestAt),
  }
}

function messagesOf({ free, claimed }: Sums): number {
  return free + claimed
}

function nameOf(project: string, queue: string): string {
  return JSON.stringify([project, queue])
}
