import { DURATIONS, Histogram } from '../metrics/instruments.ts'

const GROUPS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const

/** What an engine says of its work in this process to those who watch the service. */
export class EngineFigures {
  /** Milliseconds, with fractions. */
  readonly elapsed: () => number
  /** Moves that shared a transaction. */
  readonly groups = new Histogram(GROUPS)
  /** Seconds from the beginning of a transaction until it was committed, and durable. */
  readonly transactions = new Histogram(DURATIONS)
  /** Transactions that were not committed. */
  failed = 0
  /** Seconds that rounds of the sweeper took. */
  readonly sweeps = new Histogram(DURATIONS)
  /** Moves that wait for their transaction; set by the engine. */
  waiting: () => number = () => 0
  /** Of an engine that has connections to a server, set by it. */
  lanes: (() => LaneCounts) | null = null

  constructor(elapsed: () => number) {
    this.elapsed = elapsed
  }

  /** `begun` by `elapsed`. */
  committed(moves: number, begun: number): void {
    this.groups.observe(moves)
    this.transactions.observe(this.#secondsSince(begun))
  }

  swept(begun: number): void {
    this.sweeps.observe(this.#secondsSince(begun))
  }

  #secondsSince(begun: number): number {
    return (this.elapsed() - begun) / 1000
  }
}

/** Each lane has a connection of its own, opened when it is needed. */
export interface LaneCounts {
  readonly all: number
  /** That have moves under way. */
  readonly busy: number
  /** That have an open connection. */
  readonly connected: number
}
