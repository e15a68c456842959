import { createHistogram } from 'node:perf_hooks'
import { ZaqarError } from 'zaqar-client/http'
import { elapsed } from '../../platform/elapsed.ts'

/** What was seen of one operation of a workload. Times are in milliseconds; null where nothing was answered. */
export interface Measured {
  readonly workload: string
  readonly operation: string
  readonly answered: number
  readonly perSecond: number
  readonly p50: number | null
  readonly p90: number | null
  readonly p99: number | null
  readonly max: number | null
  /** How many failed, by the code of the error. */
  readonly errors: Readonly<Record<string, number>>
}

const NANOSECONDS = 1e6

/** Counts an operation and keeps its latencies, to three digits, in a space that does not grow. */
export class Tally {
  readonly #operation: string
  readonly #latencies = createHistogram()
  readonly #errors: Record<string, number> = {}

  constructor(operation: string) {
    this.#operation = operation
  }

  add(milliseconds: number): void {
    this.#latencies.record(Math.max(1, Math.round(milliseconds * NANOSECONDS)))
  }

  fail(code: string): void {
    this.#errors[code] = (this.#errors[code] ?? 0) + 1
  }

  /** Answers what `run` does; null where it failed. @throws ZaqarError that would come again and again, or the reason of a signal */
  async time<T>(run: () => Promise<T>): Promise<T | null> {
    const start = elapsed()
    try {
      const answer = await run()
      this.add(elapsed() - start)
      return answer
    } catch (error) {
      if (!(error instanceof ZaqarError) || error.isFinal) throw error
      this.fail(error.code)
      return null
    }
  }

  measured(workload: string, seconds: number): Measured {
    const { count, max } = this.#latencies
    const at = (share: number) => (count === 0 ? null : rounded(this.#latencies.percentile(share)))
    return {
      workload,
      operation: this.#operation,
      answered: count,
      perSecond: Math.round(count / seconds),
      p50: at(50),
      p90: at(90),
      p99: at(99),
      max: count === 0 ? null : rounded(max),
      errors: this.#errors,
    }
  }
}

/** In milliseconds, to a hundredth. */
function rounded(nanoseconds: number): number {
  return Math.round(nanoseconds / (NANOSECONDS / 100)) / 100
}
