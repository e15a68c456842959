import { ParsedBodies } from '../core/parsed-bodies.ts'
import type { Instant } from '../model/model.ts'
import type { StartTimeLimit, Timer } from '../platform/clock.ts'
import type { Lease } from '../storage/contract.ts'
import { AFTER_TROUBLE_MS, type DeliverParts, deliver, FIRST_BATCH } from './deliver.ts'
import { Pace, type PaceParts } from './pace.ts'
import { ParcelBudget } from './parcel-budget.ts'
import { SettlingTimes } from './settling-times.ts'
import { Slots } from './slots.ts'
import { Tally } from './tally.ts'

export interface DispatcherParts
  extends PaceParts,
    Measure,
    Omit<DeliverParts, 'slots' | 'pace' | 'bodies' | 'budget' | 'readyToSettle' | 'stopping' | 'aborted'> {
  watchWork(listener: () => void): () => void
  readonly startTimeLimit: StartTimeLimit
  /** How long tries that are under way may take when the service ends, in seconds; 0: as long as they take. */
  readonly closingSeconds: number
}

/** How much is done at once. */
export interface Measure {
  /** To how many subscriptions at once, in all, for each host, and for each project; 0 in all: nothing is delivered. */
  readonly atOnce: { readonly all: number; readonly perHost: number; readonly perProject: number }
  /** Bytes that the body of one request may have. */
  readonly longestBody: number
}

/** Subscriptions that are leased by one move. */
const LEASES_AT_ONCE = 100
/** While a project has more than its share of few places, so many are leased at a time, and at such intervals. */
const LEASES_IN_A_CROWD = 10
const CROWD_MS = 250
/** For how long its subscriptions are put off that were among them, in milliseconds. */
const PUT_OFF_MS = 500
/** Fewer settle as they come: nothing is gained by waiting. */
const MANY = 32

/**
 * Takes leases of subscriptions that are owed something, as many as there is room for, and delivers. It sleeps until
 * the storage tells of work, or the instant comes that the storage named.
 */
export class Dispatcher {
  readonly #parts: DispatcherParts
  #atOnce: Measure['atOnce']
  readonly #slots: Slots
  readonly #budget: ParcelBudget
  readonly #deliverParts: DeliverParts
  /** How many are delivered to, by project. */
  readonly #projects = new Tally()
  readonly #stopping = new AbortController()
  readonly #aborted = new AbortController()
  readonly #deliveries = new Set<Promise<void>>()
  readonly #unwatch: () => void
  readonly #running: Promise<void>
  #hasNews = false
  #wake: (() => void) | null = null

  constructor(parts: DispatcherParts) {
    this.#parts = parts
    const { atOnce, longestBody } = parts
    this.#atOnce = atOnce
    this.#slots = new Slots({ clock: parts.clock, ...atOnce })
    this.#budget = new ParcelBudget(longestBody)
    const settlingTimes = new SettlingTimes(parts.startTimeLimit)
    this.#deliverParts = {
      ...parts,
      slots: this.#slots,
      pace: new Pace(parts),
      bodies: new ParsedBodies(),
      budget: this.#budget,
      readyToSettle: async () => {
        if (this.#deliveries.size >= MANY && !this.#stopping.signal.aborted) await settlingTimes.next()
      },
      stopping: this.#stopping.signal,
      aborted: this.#aborted.signal,
    }
    this.#unwatch = parts.watchWork(() => this.#hear())
    this.#running = this.#run()
  }

  /** From now on; what is under way goes on. */
  setMeasure({ atOnce, longestBody }: Measure): void {
    this.#atOnce = atOnce
    this.#slots.limit(atOnce)
    this.#budget.setLongest(longestBody)
    this.#hear()
  }

  /** To how many subscriptions it delivers now. */
  get underWay(): number {
    return this.#deliveries.size
  }

  /** Lets tries under way come to their end, or ends them, and hands back every lease. */
  async close(): Promise<void> {
    const { startTimeLimit, closingSeconds } = this.#parts
    this.#stopping.abort()
    this.#unwatch()
    this.#slots.clear()
    this.#hear()
    const end = closingSeconds === 0 ? null : startTimeLimit(closingSeconds * 1000, () => this.#aborted.abort())
    await this.#running
    await Promise.all(this.#deliveries)
    end?.cancel()
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#hasNews = false
      const wasCrowded = this.#isCrowded
      const room = Math.min(this.#free, wasCrowded ? LEASES_IN_A_CROWD : LEASES_AT_ONCE)
      const next = room > 0 ? await this.#leaseSome(room) : null
      await (wasCrowded ? this.#sleepInCrowd() : this.#sleepUntil(next))
    }
  }

  get #free(): number {
    return this.#atOnce.all - this.#deliveries.size
  }

  /** Places run short, and a project has more than its share. */
  get #isCrowded(): boolean {
    const { all, perProject } = this.#atOnce
    return this.#free <= all / 4 && this.#projects.reaches(perProject)
  }

  /** Answers when it is worth to look again; null: not before it hears something. */
  async #leaseSome(limit: number): Promise<Instant | null> {
    const { storage, clock, terms, report } = this.#parts
    try {
      const { leases, next } = await storage.deliveries.lease({
        limit,
        seconds: terms.leaseSeconds,
        batch: FIRST_BATCH,
        now: clock.now(),
      })
      for (const lease of leases) this.#begin(lease)
      return next
    } catch (error) {
      report(error)
      return clock.now() + AFTER_TROUBLE_MS
    }
  }

  #begin(lease: Lease): void {
    const { project } = lease.queue
    const isTooMany = this.#isCrowded && this.#projects.of(project) >= this.#atOnce.perProject
    this.#projects.add(project, 1)
    const delivering = isTooMany ? this.#putOff(lease) : deliver(lease, this.#deliverParts)
    const delivery: Promise<void> = delivering.catch(this.#parts.report).finally(() => {
      const [wasFull, wasCrowded] = [this.#free === 0, this.#isCrowded]
      this.#deliveries.delete(delivery)
      this.#projects.add(project, -1)
      if (wasFull || (wasCrowded && !this.#isCrowded)) this.#hear()
    })
    this.#deliveries.add(delivery)
  }

  /** The project has as many as it may have: this one makes room for those of others. */
  async #putOff(lease: Lease): Promise<void> {
    const { storage, clock, terms } = this.#parts
    const now = clock.now()
    const { health } = lease.subscription
    const nothing = { outcomes: [], log: [], keep: terms.keep, health, next: null }
    await storage.deliveries.settle({ lease, ...nothing, restsUntil: now + PUT_OFF_MS, now })
  }

  #hear(): void {
    this.#hasNews = true
    if (!this.#isCrowded || this.#stopping.signal.aborted) this.#wake?.()
  }

  /** Whatever the news, there is no room but for a few others from time to time. */
  async #sleepInCrowd(): Promise<void> {
    if (this.#isCrowded && !this.#stopping.signal.aborted) {
      await this.#sleep((resolve) => this.#parts.startTimeLimit(CROWD_MS, resolve))
    }
  }

  async #sleepUntil(instant: Instant | null): Promise<void> {
    const { clock } = this.#parts
    if (this.#hasNews || this.#stopping.signal.aborted || (instant !== null && instant <= clock.now())) return
    await this.#sleep((resolve) => (instant === null ? null : clock.at(instant, resolve)))
  }

  async #sleep(startTimer: (resolve: () => void) => Timer | null): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = startTimer(resolve)
      this.#wake = () => {
        timer?.cancel()
        resolve()
      }
    })
    this.#wake = null
  }
}
