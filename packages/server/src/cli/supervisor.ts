import cluster, { type Worker } from 'node:cluster'
import type { Logger } from 'pino'
import type { Clock } from '../platform/clock.ts'
import { pause } from '../platform/pause.ts'
import { WorkerMetrics } from './worker-metrics.ts'
import { type Answers, askWorker, type Question } from './worker-questions.ts'
import { handOnRates } from './worker-rates.ts'
import { type Ready, workerEnvironment } from './worker-role.ts'

/** Between the end of a worker and the start of the next in its place; doubled as long as they end soon. */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000
/** A worker that has lived so long did not die of its start. */
const STABLE_MS = 60_000

/** A worker has ended before it served. It has said why. */
export class WorkerDidNotStart extends Error {
  override readonly name = 'WorkerDidNotStart'
}

/**
 * Runs the command line of this process again in several workers behind one port, and puts others in the place of those
 * that end (docs/decisions/workers.md).
 */
export class Supervisor {
  readonly #log: Logger
  readonly #clock: Clock
  #neededPolicies: readonly string[]
  /** By number; the promise resolves when no worker is left in that place. */
  readonly #places = new Map<number, Promise<void>>()
  readonly #workers = new Set<Worker>()
  readonly #metrics = new WorkerMetrics()
  readonly #ending = new AbortController()

  constructor(log: Logger, clock: Clock, neededPolicies: readonly string[]) {
    this.#log = log
    this.#clock = clock
    this.#neededPolicies = neededPolicies
  }

  /**
   * Resolves when all serve. The first worker goes ahead: it makes what has to be made once, and if it cannot start, it
   * alone says why.
   * @throws WorkerDidNotStart
   */
  async start(count: number): Promise<Ready> {
    try {
      const first = await this.#fill(1)
      await Promise.all(Array.from({ length: count - 1 }, (_, i) => this.#fill(i + 2)))
      return first
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** For workers that are started from now on. */
  needPolicies(neededPolicies: readonly string[]): void {
    this.#neededPolicies = neededPolicies
  }

  /** All workers read the configuration again, those that are starting too. Answers whether all could use it. */
  async reload(): Promise<boolean> {
    return (await this.#ask('reload')).every((isDone) => isDone === true)
  }

  /** Resolves when the storage has answered each worker. */
  async answers(): Promise<void> {
    await this.#ask('answer')
  }

  /** Resolves when all workers have answered what they have begun. */
  async close(): Promise<void> {
    this.#ending.abort()
    for (const { process } of this.#workers) process.kill('SIGTERM')
    await Promise.all(this.#places.values())
  }

  #ask<Q extends Question>(question: Q): Promise<(Answers[Q] | null)[]> {
    return Promise.all(Array.from(this.#workers, (worker) => askWorker(worker, question)))
  }

  /** Resolves when the first worker in this place serves. */
  #fill(number: number): Promise<Ready> {
    const { promise, resolve, reject } = Promise.withResolvers<Ready>()
    this.#places.set(number, this.#keepFilled(number, resolve, reject))
    return promise
  }

  async #keepFilled(
    number: number,
    onReady: (ready: Ready) => void,
    onFailed: (error: WorkerDidNotStart) => void,
  ): Promise<void> {
    let hasServed = false
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const startedAt = this.#clock.now()
      const worker = this.#fork(number)
      const about = { worker: number, workerPid: worker.process.pid }
      worker.on('message', (message: object) => {
        if (!('url' in message)) return
        const ready = message as Ready
        if (hasServed) this.#log.info(about, 'the place of a worker that has ended is filled')
        hasServed = true
        onReady(ready)
      })
      const how = await endOf(worker)
      this.#workers.delete(worker)
      this.#metrics.leave(worker)
      if (this.#ending.signal.aborted) return
      if (!hasServed) return onFailed(new WorkerDidNotStart(`worker ${number} has ended before it served: ${how}`))
      if (this.#clock.now() - startedAt >= STABLE_MS) pauseMs = FIRST_PAUSE_MS
      this.#log.error({ ...about, how, pauseMs }, 'a worker has ended, another will take its place')
      await pause(pauseMs, this.#ending.signal)
      if (this.#ending.signal.aborted) return
    }
  }

  #fork(number: number): Worker {
    const worker = cluster.fork(workerEnvironment(number, this.#neededPolicies))
    this.#workers.add(worker)
    this.#metrics.join(worker, number)
    handOnRates(worker, this.#workers)
    return worker
  }
}

/** Its exit code or the signal that ended it. */
function endOf(worker: Worker): Promise<string> {
  return new Promise((resolve) => {
    worker.once('exit', (code: number | null, signal: string | null) => resolve(signal ?? `code ${code}`))
    worker.once('error', (error) => resolve(error.message))
  })
}
