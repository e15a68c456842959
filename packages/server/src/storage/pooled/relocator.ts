import type { Relocation } from '../../model/model.ts'
import type { Timer } from '../../platform/clock.ts'
import { type RelocationStore, StorageUnavailable } from '../contract.ts'
import { resolveMoving } from './move-queue.ts'
import { LEASE_SECONDS, RelocationRun, type RunParts } from './relocation-run.ts'

/** What others have asked for, or left behind, is looked for so often. */
const ROUND_MS = 5_000
/** The pools are looked over for what dead movers left. */
const LOOK_OVER_MS = 60_000
/** Fences that are looked at then. */
const PAGE = 1_000

/** Told to the log. */
export interface RelocationReports {
  /** A node begins to work at it, or goes on where another was. */
  began(relocation: Relocation): void
  /** Done, failed or cancelled. */
  ended(relocation: Relocation): void
  /** Something stands in its way. */
  troubled(relocation: Relocation, trouble: string): void
}

export interface RelocatorParts extends Omit<RunParts, 'relocations' | 'moved' | keyof RelocationReports> {
  readonly relocations: RelocationStore
  readonly reports: RelocationReports
}

/**
 * Works at the drains that operators have asked for, and at the rebalance. Each node does, at as many as it can get
 * a lease of; what another node was at it goes on with.
 */
export class Relocator {
  readonly #parts: RelocatorParts
  readonly #runs = new Map<RelocationRun, Promise<void>>()
  #timers: Timer[] = []
  #taking: Promise<void> = Promise.resolve()
  #isClosed = false
  /** By this process. */
  queuesMoved = 0
  recordsMoved = 0

  constructor(parts: RelocatorParts) {
    this.#parts = parts
  }

  /** At how many this process is at work. */
  get underWay(): number {
    return this.#runs.size
  }

  start(): void {
    this.#everySo(ROUND_MS, () => this.look())
    this.#everySo(LOOK_OVER_MS, () => this.lookOver())
    void this.look()
    void this.lookOver()
  }

  /** Something was asked for, or cancelled. Resolves when it is known here. */
  look(): Promise<void> {
    for (const run of this.#runs.keys()) run.look()
    this.#taking = this.#taking.then(() => this.#takeAll())
    return this.#taking
  }

  /** Ends what dead movers left in the pools. */
  async lookOver(): Promise<void> {
    const { engines, placements, clock } = this.#parts
    for (const name of engines.names()) {
      await this.#unlessAway(async () => {
        const engine = await engines.open(name)
        const fenced = (await engine?.moves?.fenced({ limit: PAGE, now: clock.now() })) ?? []
        for (const { key, ...fence } of fenced) {
          if (engine !== null) await resolveMoving({ key, pool: { name, engine }, placements, clock }, fence)
        }
      })
    }
  }

  /** Hands back what it is at. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#timers) timer.cancel()
    for (const run of this.#runs.keys()) run.stop()
    await this.#taking
    await Promise.all(this.#runs.values())
  }

  #everySo(milliseconds: number, act: () => Promise<void>): void {
    const { clock } = this.#parts
    const index = this.#timers.length
    const next = () => {
      this.#timers[index] = clock.at(clock.now() + milliseconds, () => {
        void act()
        next()
      })
    }
    next()
  }

  async #takeAll(): Promise<void> {
    const { relocations, clock } = this.#parts
    await this.#unlessAway(async () => {
      while (!this.#isClosed) {
        const leased = await relocations.lease({ seconds: LEASE_SECONDS, now: clock.now() })
        if (leased === null) return
        this.#begin(leased)
      }
    })
  }

  #begin(leased: ConstructorParameters<typeof RelocationRun>[0]): void {
    const { reports, ...parts } = this.#parts
    const run = new RelocationRun(leased, {
      ...parts,
      troubled: (relocation, trouble) => reports.troubled(relocation, trouble),
      moved: (what) => {
        if ('queues' in what) this.queuesMoved += what.queues
        else this.recordsMoved += what.records
      },
    })
    reports.began(leased.relocation)
    const over = run.run().then((relocation) => {
      this.#runs.delete(run)
      if (relocation !== null && relocation.status !== 'active') reports.ended(relocation)
    })
    this.#runs.set(run, over)
    if (this.#isClosed) run.stop()
  }

  async #unlessAway(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) this.#parts.report(error)
    }
  }
}
