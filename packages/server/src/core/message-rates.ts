import type { Instant, QueueKey } from '../model/model.ts'
import { queueId } from '../model/queue-id.ts'

/** What is counted of each queue and topic. */
export const COUNTED = ['posted', 'claimed', 'deleted', 'delivered'] as const
export type Counted = (typeof COUNTED)[number]

export const STEP_SECONDS = 5
/** Ten minutes. */
export const STEPS = 120
/** The step that is going on is counted, too, and not shown yet. */
const SLOTS = STEPS + 1
/** Each takes two kilobytes. */
const MOST_QUEUES = 1_000
/** Each may be counted in all four ways. */
const MOST_UNTOLD = 4 * MOST_QUEUES

/** Messages of a queue in each of the last steps, the latest last: `STEPS`, or as many as were counted. */
export interface Rates extends Readonly<Record<Counted, readonly number[]>> {
  /** When the last step ended. */
  readonly until: Instant
}

/** What was counted of a queue in one step, for other processes. */
export type CountedStep = readonly [id: string, step: number, what: Counted, messages: number]

interface Ring {
  /** The latest that something was counted in. */
  step: number
  /** Nothing is missing from this step on. */
  readonly since: number
  readonly counts: Readonly<Record<Counted, Uint32Array>>
}

/** How fast messages come and go, queue by queue, over the last minutes; of the queues that were used last. */
export class MessageRates {
  /** By id of the queue, the one whose ring was turned first first. */
  readonly #rings = new Map<string, Ring>()
  /** A queue without a ring was not used from this step on. */
  #since: number
  /** What was counted here since it was taken last, each sum under a name of its own; null where nobody takes it. */
  #untold: Map<string, CountedStep> | null = null

  constructor(now: Instant) {
    this.#since = stepAt(now)
  }

  count(key: QueueKey, what: Counted, messages: number, now: Instant): void {
    if (messages === 0) return
    const id = queueId(key)
    const step = stepAt(now)
    this.#add(id, step, what, messages)
    if (this.#untold === null) return
    const name = `${what} ${step} ${id}`
    const [, , , before] = this.#untold.get(name) ?? []
    if (before === undefined && this.#untold.size >= MOST_UNTOLD) return
    this.#untold.set(name, [id, step, what, (before ?? 0) + messages])
  }

  of(key: QueueKey, now: Instant): Rates {
    const ring = this.#rings.get(queueId(key))
    const end = stepAt(now)
    const first = Math.max(end - STEPS, ring?.since ?? this.#since)
    const steps = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i)
    const rates = COUNTED.map((what) => [what, steps.map((step) => countIn(ring, what, step))])
    return { until: end * STEP_SECONDS * 1000, ...(Object.fromEntries(rates) as Record<Counted, number[]>) }
  }

  /** What was counted here since the last time. */
  takeUntold(): readonly CountedStep[] {
    const untold = this.#untold?.values() ?? []
    this.#untold = new Map()
    return [...untold]
  }

  /** What another process has counted. */
  add(told: readonly CountedStep[]): void {
    for (const counted of told) this.#add(...counted)
  }

  #add(id: string, step: number, what: Counted, messages: number): void {
    const ring = this.#rings.get(id) ?? this.#newRing(id, step)
    if (step > ring.step) this.#turn(ring, id, step)
    if (step > ring.step - SLOTS) ring.counts[what][step % SLOTS] = (ring.counts[what][step % SLOTS] ?? 0) + messages
  }

  /** The place of the least recently used is taken where there is none left. */
  #newRing(id: string, step: number): Ring {
    const empty = COUNTED.map((what) => [what, new Uint32Array(SLOTS)])
    const ring = { step, since: this.#since, counts: Object.fromEntries(empty) as Record<Counted, Uint32Array> }
    if (this.#rings.size >= MOST_QUEUES) {
      const [[oldest, { step: last }]] = this.#rings as unknown as [[string, Ring]]
      this.#rings.delete(oldest)
      if (last >= step - STEPS) this.#since = step + 1
    }
    this.#rings.set(id, ring)
    return ring
  }

  #turn(ring: Ring, id: string, step: number): void {
    const passed = Math.min(step - ring.step, SLOTS)
    for (let i = 0; i < passed; i++) for (const what of COUNTED) ring.counts[what][(step - i) % SLOTS] = 0
    ring.step = step
    this.#rings.delete(id)
    this.#rings.set(id, ring)
  }
}

function countIn(ring: Ring | undefined, what: Counted, step: number): number {
  if (ring === undefined || step > ring.step || step <= ring.step - SLOTS) return 0
  return ring.counts[what][step % SLOTS] ?? 0
}

function stepAt(now: Instant): number {
  return Math.floor(now / 1000 / STEP_SECONDS)
}
