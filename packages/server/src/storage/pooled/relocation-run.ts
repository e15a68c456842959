import { randomUUID } from 'node:crypto'
import type { Relocation } from '../../model/model.ts'
import type { Timer } from '../../platform/clock.ts'
import { type LeasedRelocation, type Placement, type RelocationStore, StorageUnavailable } from '../contract.ts'
import { planDrain } from './drain-plan.ts'
import { moveQueue } from './move-queue.ts'
import type { Plan, PlanParts } from './plan.ts'
import { ProjectPools } from './project-pools.ts'
import { planRebalance } from './rebalance-plan.ts'

export interface RunParts extends PlanParts {
  readonly relocations: Pick<RelocationStore, 'settle'>
  /** Something stands in its way that did not before. */
  troubled(relocation: Relocation, trouble: string): void
  moved(what: { readonly queues: number } | { readonly records: number }): void
  /** Told of an error that is no trouble of a store. */
  report(error: unknown): void
}

/** A node that is killed is noticed after so long. */
export const LEASE_SECONDS = 10
/** It is told so often how far this is, and heard whether it was cancelled. */
const BEAT_MS = 1_000
/** Queues that move at once; with a rate, one. */
const AT_ONCE = 4
/** Before what did not go is tried again. */
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
/** Troubles that are told one by one. */
const MOST_TOLD = 100

/** How one node works at a drain, or at the rebalance: pass by pass, until nothing is to go any more. */
export class RelocationRun {
  readonly #parts: RunParts
  readonly #lease: string
  readonly #projectPools: ProjectPools
  readonly #stopping = new AbortController()
  #relocation: Relocation
  #left: number | null = null
  /** Since it was told last. */
  #queuesMoved = 0
  #recordsMoved = 0
  /** Of the pass before, and of this one. */
  #lastTrouble: string | null
  #trouble: string | null = null
  /** Since a pass without any. */
  readonly #toldTroubles = new Set<string>()
  #movedInPass = 0
  #isWorking = true
  readonly #sleepers = new Set<() => void>()

  constructor({ relocation, lease }: LeasedRelocation, parts: RunParts) {
    this.#relocation = relocation
    this.#lease = lease
    this.#parts = parts
    this.#lastTrouble = relocation.trouble
    this.#projectPools = new ProjectPools(parts.pools)
  }

  get relocation(): Relocation {
    return this.#relocation
  }

  /** Answers it as it is at the end; null where another node has it now, or that cannot be said. */
  async run(): Promise<Relocation | null> {
    const beating = this.#beat()
    const ends = await this.#work()
    this.#isWorking = false
    this.look()
    await beating
    return this.#tell(ends, 0)
  }

  /** It may have been cancelled, or has another rate. */
  look(): void {
    for (const wake of [...this.#sleepers]) wake()
  }

  /** Ends it between two pages; another node goes on. */
  stop(): void {
    this.#stopping.abort()
    this.look()
  }

  async #beat(): Promise<void> {
    while (this.#isWorking) {
      await this.#pause(BEAT_MS)
      if (!this.#isWorking) return
      this.#projectPools.forget()
      await this.#tell(null, LEASE_SECONDS)
    }
  }

  /** Null where it is another's, or the store is in trouble. */
  async #tell(ends: 'done' | 'failed' | null, seconds: number): Promise<Relocation | null> {
    const { relocations, clock, report } = this.#parts
    const [queuesMoved, recordsMoved] = [this.#queuesMoved, this.#recordsMoved]
    const trouble = this.#trouble ?? this.#lastTrouble
    this.#queuesMoved = 0
    this.#recordsMoved = 0
    try {
      const told = await relocations.settle({
        ...{ pool: this.#relocation.pool, lease: this.#lease, queuesLeft: this.#left, queuesMoved, recordsMoved },
        ...{ trouble, seconds, ends, now: clock.now() },
      })
      if (told === 'lost' || (told.status !== 'active' && this.#isWorking)) this.#stopping.abort()
      if (told === 'lost') return null
      this.#relocation = told
      return told
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) report(error)
      this.#queuesMoved += queuesMoved
      this.#recordsMoved += recordsMoved
      return null
    }
  }

  /** Null: it was stopped. */
  async #work(): Promise<'done' | 'failed' | null> {
    for (let pauseMs = FIRST_PAUSE_MS; !this.#isStopped; ) {
      const outcome = await this.#tryPass()
      if (this.#isStopped) break
      if (outcome === 'done' || outcome === 'failed') return outcome
      if (this.#movedInPass > 0) pauseMs = FIRST_PAUSE_MS
      await this.#pause(pauseMs)
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    }
    return null
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async #tryPass(): Promise<'done' | 'failed' | 'again'> {
    this.#trouble = null
    this.#movedInPass = 0
    try {
      this.#projectPools.forget()
      return await this.#pass()
    } catch (error) {
      this.#hindered(error)
      return 'again'
    } finally {
      this.#lastTrouble = this.#trouble
      if (this.#trouble === null) this.#toldTroubles.clear()
    }
  }

  async #pass(): Promise<'done' | 'failed' | 'again'> {
    const { pool } = this.#relocation
    const plan =
      pool === null
        ? await planRebalance(this.#projectPools, this.#parts)
        : await planDrain(pool, this.#projectPools, this.#parts)
    this.#left = plan.left
    const counts = { postponed: 0, staying: 0 }
    const running = new Set<Promise<void>>()
    for await (const placement of plan.candidates()) {
      if (this.#isStopped) break
      const moving = this.#try(placement, plan, counts).finally(() => running.delete(moving))
      running.add(moving)
      if (running.size >= (this.#relocation.rate === null ? AT_ONCE : 1)) await Promise.race(running)
    }
    await Promise.all(running)
    if (counts.postponed > 0) return 'again'
    if (counts.staying > 0) return 'failed'
    return (await plan.isOver()) ? 'done' : 'again'
  }

  async #try(placement: Placement, plan: Plan, counts: { postponed: number; staying: number }): Promise<void> {
    try {
      const destination = await plan.destinationOf(placement)
      if (destination !== null && 'stays' in destination) {
        counts.staying += 1
        this.#trouble = destination.stays
      } else if (destination !== null) {
        const { to } = destination
        const hasMoved = await this.#move(placement, to).catch((error) => {
          plan.stayed(placement, to)
          throw error
        })
        if (hasMoved) plan.left -= 1
        else {
          plan.stayed(placement, to)
          counts.postponed += 1
        }
      }
      this.#left = plan.left
    } catch (error) {
      counts.postponed += 1
      this.#hindered(error)
    }
  }

  async #move({ project, kind, name, pool }: Placement, to: string): Promise<boolean> {
    const { engines, placements, clock, moved } = this.#parts
    const [source, destination] = await Promise.all([engines.open(pool), engines.open(to)])
    if (source === null || destination === null) return false
    const since = clock.now()
    let records = 0
    const outcome = await moveQueue({
      key: { project, kind, name },
      from: { name: pool, engine: source },
      to: { name: to, engine: destination },
      placements,
      clock,
      newToken: randomUUID,
      rate: () => this.#relocation.rate,
      signal: this.#stopping.signal,
      onStored: (stored) => {
        records += stored
        this.#recordsMoved += stored
        moved({ records: stored })
      },
    })
    if (outcome === 'moved') {
      this.#queuesMoved += 1
      this.#movedInPass += 1
      moved({ queues: 1 })
    }
    if (outcome === 'busy') this.#held(`the ${kind} ${name} of the project ${project} changes too fast to be moved`)
    // A rate holds for many small queues, too.
    const { rate } = this.#relocation
    if (rate !== null) await this.#pause(since + (1000 * records) / rate - clock.now())
    return outcome === 'moved'
  }

  #hindered(error: unknown): void {
    if (!(error instanceof StorageUnavailable)) this.#parts.report(error)
    this.#held(
      error instanceof StorageUnavailable ? error.message : 'an error of this software, which the log tells of',
    )
  }

  #held(trouble: string): void {
    this.#trouble = trouble
    const isTold = this.#toldTroubles.has(trouble) || this.#toldTroubles.size === MOST_TOLD
    if (!isTold) this.#parts.troubled(this.#relocation, trouble)
    this.#toldTroubles.add(trouble)
  }

  /** Until then, or until somebody wants it to look. */
  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0 || this.#isStopped) return
    const { clock } = this.#parts
    await new Promise<void>((resolve) => {
      const wake = () => {
        timer.cancel()
        this.#sleepers.delete(wake)
        resolve()
      }
      const timer: Timer = clock.at(clock.now() + milliseconds, wake)
      this.#sleepers.add(wake)
    })
  }
}
