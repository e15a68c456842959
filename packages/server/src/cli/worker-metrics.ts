/** Whichever worker is asked for metrics tells those of all: it has the supervisor put them together. */
import type { Worker } from 'node:cluster'
import type { Family } from '../metrics/family.ts'
import { mergedFamilies, type WorkerFamilies, withGone } from '../metrics/merged.ts'
import { startTimeLimit } from '../platform/time-limit.ts'
import { askWorker } from './worker-questions.ts'

/** A worker that has not answered by then counts with what it has told before, in milliseconds. */
const PATIENCE_MS = 1_000

interface ScrapeAsked {
  readonly scrape: number
  /** What the worker that asks tells of itself, and of the store. */
  readonly families: readonly Family[]
}

interface ScrapeAnswered {
  readonly scraped: number
  readonly families: readonly Family[]
}

/** In the supervisor: what all workers have told, those too that have ended. */
export class WorkerMetrics {
  readonly #latest = new Map<Worker, WorkerFamilies>()
  #gone: Family[] = []

  /** Answers what a worker asks. `number`: of its place. */
  join(worker: Worker, number: number): void {
    this.#latest.set(worker, { worker: number, families: [] })
    worker.on('message', (message: object) => {
      if (!('scrape' in message)) return
      const { scrape, families } = message as ScrapeAsked
      this.#tell(worker, families)
      void this.#gather(worker).then((all) => {
        if (worker.isConnected()) worker.send({ scraped: scrape, families: all } satisfies ScrapeAnswered)
      })
    })
  }

  /** What it has counted stays counted. */
  leave(worker: Worker): void {
    this.#gone = withGone(this.#gone, this.#latest.get(worker)?.families ?? [])
    this.#latest.delete(worker)
  }

  /** The first word about the store has whoever asks. */
  async #gather(asker: Worker): Promise<readonly Family[]> {
    const others = [...this.#latest.keys()].filter((worker) => worker !== asker)
    await Promise.all(others.map((worker) => this.#ask(worker)))
    const present = [asker, ...others].flatMap((worker) => this.#latest.get(worker) ?? [])
    return mergedFamilies(present, this.#gone)
  }

  async #ask(worker: Worker): Promise<void> {
    const { promise: tooLate, resolve } = Promise.withResolvers<null>()
    const limit = startTimeLimit(PATIENCE_MS, () => resolve(null))
    const families = await Promise.race([askWorker(worker, 'measure'), tooLate])
    limit.cancel()
    if (families !== null) this.#tell(worker, families)
  }

  /** It may have ended meanwhile. */
  #tell(worker: Worker, families: readonly Family[]): void {
    const before = this.#latest.get(worker)
    if (before !== undefined) this.#latest.set(worker, { ...before, families })
  }
}

let asked = 0

/** In a worker: makes of what it tells what all tell. */
export function withOtherWorkers(families: readonly Family[]): Promise<readonly Family[]> {
  const scrape = ++asked
  return new Promise((resolve) => {
    const hear = (message: object) => {
      if (!('scraped' in message) || message.scraped !== scrape) return
      process.off('message', hear)
      resolve((message as ScrapeAnswered).families)
    }
    process.on('message', hear)
    process.send?.({ scrape, families } satisfies ScrapeAsked)
  })
}
