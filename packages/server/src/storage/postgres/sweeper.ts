import type { Clock, Timer } from '../../platform/clock.ts'
import { GONE_MS } from '../contract.ts'
import type { EngineFigures } from '../engine-figures.ts'
import type { Lanes } from './lanes.ts'

const ROUND_MS = 1_000
/** Between two rounds of all nodes together; a little less than a round, so that a lone node never misses one. */
const GAP_MS = 900
/** Longer than promised, since the clocks of nodes may differ. */
const KEEP_GONE_MS = 2 * GONE_MS

/** Frees the space of what is gone. Every node tries; the server lets one at a time. */
export class Sweeper {
  readonly #lanes: Lanes
  readonly #clock: Clock
  readonly #figures: EngineFigures
  #timer: Timer | null = null
  #isStopped = false

  constructor(lanes: Lanes, clock: Clock, figures: EngineFigures) {
    this.#lanes = lanes
    this.#clock = clock
    this.#figures = figures
  }

  start(): void {
    this.#timer = this.#clock.at(this.#clock.now() + ROUND_MS, () => void this.#sweep())
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  async #sweep(): Promise<void> {
    const begun = this.#figures.elapsed()
    try {
      let gap = GAP_MS
      while (!this.#isStopped && (await this.#sweepOnce(gap))) gap = 0
      this.#figures.swept(begun)
    } catch {
      // The server is in trouble, as the moves of others tell: the next round tries again.
    }
    if (!this.#isStopped) this.start()
  }

  #sweepOnce(gap: number): Promise<boolean> {
    const now = this.#clock.now()
    return this.#lanes.alone('sweep', { now, gap, goneBefore: now - KEEP_GONE_MS })
  }
}
