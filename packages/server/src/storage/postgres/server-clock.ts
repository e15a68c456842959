import type { Instant } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { connect } from './connection.ts'

const SAMPLES = 5
const MEASURE_EVERY_MS = 60_000

/**
 * The clock of the database server as a node reads it: its own clock, set right by a difference that is measured at the
 * start and every minute. All nodes of one database so agree on what is due, however wrong their own clocks are
 * (docs/decisions/postgres-time.md).
 */
export class ServerClock implements Clock {
  readonly #uri: string
  readonly #local: Clock
  #aheadMs = 0
  #latest: Instant = 0
  #timer: Timer | null = null
  #isClosed = false

  private constructor(uri: string, local: Clock) {
    this.#uri = uri
    this.#local = local
  }

  /** @throws StorageUnavailable */
  static async open({ uri, local }: { uri: string; local: Clock }): Promise<ServerClock> {
    const clock = new ServerClock(uri, local)
    clock.#aheadMs = await clock.#measure()
    clock.#measureLater()
    return clock
  }

  now(): Instant {
    this.#latest = Math.max(this.#latest, this.#local.now() + this.#aheadMs)
    return this.#latest
  }

  at(at: Instant, callback: () => void): Timer {
    let timer: Timer
    const wait = () => {
      timer = this.#local.at(at - this.#aheadMs, () => (this.now() < at ? wait() : callback()))
    }
    wait()
    return { cancel: () => timer.cancel() }
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #measureLater(): void {
    if (this.#isClosed) return
    this.#timer = this.#local.at(this.#local.now() + MEASURE_EVERY_MS, async () => {
      // A server that cannot be asked leaves the difference as it was.
      this.#aheadMs = await this.#measure().catch(() => this.#aheadMs)
      this.#measureLater()
    })
  }

  /** By how many milliseconds the server's clock is ahead, from the quickest of some answers. */
  async #measure(): Promise<number> {
    const { client } = await connect(this.#uri)
    let best = { tookMs: Number.POSITIVE_INFINITY, aheadMs: 0 }
    try {
      for (let i = 0; i < SAMPLES; i++) {
        const before = this.#local.now()
        const { rows } = await client.query<{ now: number }>(
          'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
        )
        const after = this.#local.now()
        const aheadMs = Math.round((rows[0]?.now ?? before) - (before + after) / 2)
        if (after - before < best.tookMs) best = { tookMs: after - before, aheadMs }
      }
    } finally {
      await client.end().catch(() => undefined)
    }
    return best.aheadMs
  }
}
