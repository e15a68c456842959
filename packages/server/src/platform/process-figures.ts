import { readdir, readFile } from 'node:fs/promises'
import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks'

/** What this process is and takes. Sizes in bytes, times in seconds, those of totals since it began. */
export interface ProcessFigures {
  /** Since the epoch. */
  readonly startedAt: number
  readonly cpuSeconds: number
  readonly residentBytes: number
  readonly heapBytes: number
  /** Null where the system does not tell. */
  readonly openFiles: number | null
  readonly mostOpenFiles: number | null
  /** In which the event loop was at work. */
  readonly busySeconds: number
  /** How late timers of the event loop were lately, by percentile. */
  readonly delays: ReadonlyMap<number, number>
  readonly collections: number
  readonly collectionSeconds: number
}

const NANOSECONDS = 1e9
/** Of timers, in milliseconds, which is the least that is told of a delay. */
const RESOLUTION_MS = 20
const PERCENTILES = [50, 90, 99, 100]
/** Delays are those since the last look, but of no shorter time than this, in milliseconds: two may be looking. */
const SHORTEST_LOOK_MS = 10_000

/** Watches this process until it is closed. */
export class ProcessWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  readonly #observer: PerformanceObserver
  #collections = 0
  #collectionSeconds = 0
  #lookedAt = performance.now()
  #delays: ReadonlyMap<number, number> = new Map()

  constructor() {
    this.#delay.enable()
    this.#observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        this.#collections += 1
        this.#collectionSeconds += duration / 1000
      }
    })
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  async figures(): Promise<ProcessFigures> {
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed } = process.memoryUsage()
    return {
      startedAt: performance.timeOrigin / 1000,
      cpuSeconds: (user + system) / 1e6,
      residentBytes: rss,
      heapBytes: heapUsed,
      openFiles: await openFiles(),
      mostOpenFiles: await mostOpenFiles(),
      busySeconds: performance.eventLoopUtilization().active / 1000,
      delays: this.#lately(),
      collections: this.#collections,
      collectionSeconds: this.#collectionSeconds,
    }
  }

  close(): void {
    this.#delay.disable()
    this.#observer.disconnect()
  }

  #lately(): ReadonlyMap<number, number> {
    const now = performance.now()
    if (this.#delays.size === 0 || now - this.#lookedAt >= SHORTEST_LOOK_MS) {
      this.#delays = new Map(PERCENTILES.map((percentile) => [percentile, this.#delayAt(percentile)]))
      this.#delay.reset()
      this.#lookedAt = now
    }
    return this.#delays
  }

  /** The histogram holds whole intervals of the timer; the delay is what is above one. */
  #delayAt(percentile: number): number {
    if (this.#delay.count === 0) return 0
    const interval = this.#delay.percentile(percentile) / NANOSECONDS
    return Math.max(0, interval - RESOLUTION_MS / 1000)
  }
}

/** Not by the event loop: there may be thousands. */
async function openFiles(): Promise<number | null> {
  try {
    // The folder itself is open while it is read.
    return (await readdir('/proc/self/fd')).length - 1
  } catch {
    return null
  }
}

/** That this process may have; null where the system does not tell. */
export async function mostOpenFiles(): Promise<number | null> {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? null : Number(soft)
  } catch {
    return null
  }
}
