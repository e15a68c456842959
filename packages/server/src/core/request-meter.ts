import type { Labels } from '../metrics/family.ts'
import { type Counter, DURATIONS, Histogram } from '../metrics/instruments.ts'
import type { Metrics } from '../metrics/metrics.ts'

/** Of a request of which nobody has found out what it is for. */
const NONE = 'none'

/** One request that is being served. Whoever serves it notes what is found out. */
export class MeasuredRequest {
  readonly id: string
  /** `v1`, `v1.1`, `v2` or `websocket`. */
  door = NONE
  /** The name of the operation. */
  operation = NONE
  /** Whether it has waited for something to come. How long that took says nothing about the service. */
  hasWaited = false
  /** In milliseconds. */
  readonly begun: number

  constructor(id: string, begun: number) {
    this.id = id
    this.begun = begun
  }

  /** The signal that ends a wait. Only who waits asks for it. */
  noting(signal: (() => AbortSignal) | undefined): (() => AbortSignal) | undefined {
    if (signal === undefined) return undefined
    return () => {
      this.hasWaited = true
      return signal()
    }
  }
}

/** Told of each request that was answered. */
export type OnServed = (request: MeasuredRequest, status: number, seconds: number) => void

type Refusal = 'overload' | 'malformed' | 'page'

/** Counts requests by what they are for and what became of them, and measures how long they take. */
export class RequestMeter {
  readonly #elapsed: () => number
  readonly #onServed: OnServed
  readonly #newCounter: (labels: Labels) => Counter
  /** By door, operation and status: texts that are not put together for each request. */
  readonly #counters = new Map<string, Map<string, Map<number, Counter>>>()
  readonly #durations = new Map<string, Histogram>()
  readonly #refusals: Readonly<Record<Refusal, Counter>>

  /** `elapsed`: milliseconds, with fractions. */
  constructor(metrics: Metrics, elapsed: () => number, onServed: OnServed) {
    this.#elapsed = elapsed
    this.#onServed = onServed
    this.#newCounter = metrics.counter({
      name: 'zaqar_requests_total',
      help: 'Requests that were answered, by operation, door and status',
    })
    const refusals = metrics.counter({
      name: 'zaqar_requests_refused_total',
      help: 'Requests that were refused unseen: no room for them in memory, no valid HTTP, or from a foreign web page',
    })
    const refusal = (reason: Refusal) => refusals({ reason })
    this.#refusals = { overload: refusal('overload'), malformed: refusal('malformed'), page: refusal('page') }
    metrics.histogram(
      {
        name: 'zaqar_request_duration_seconds',
        help: 'How long requests took until they were answered, save those that waited for something to come',
      },
      () => [...this.#durations].map(([operation, durations]) => [{ operation }, durations]),
    )
  }

  /** Before anybody has looked what it is for. */
  refused(reason: Refusal): void {
    this.#refusals[reason].add()
  }

  begin(id: string): MeasuredRequest {
    return new MeasuredRequest(id, this.#elapsed())
  }

  end(request: MeasuredRequest, status: number): void {
    const { door, operation, hasWaited, begun } = request
    const seconds = (this.#elapsed() - begun) / 1000
    this.#counterOf(door, operation, status).add()
    if (!hasWaited) this.#durationsOf(operation).observe(seconds)
    this.#onServed(request, status, seconds)
  }

  #counterOf(door: string, operation: string, status: number): Counter {
    const known = this.#counters.get(door)?.get(operation)?.get(status)
    if (known !== undefined) return known
    const counter = this.#newCounter({ operation, door, status: String(status) })
    const operations = valueIn(this.#counters, door, () => new Map<string, Map<number, Counter>>())
    valueIn(operations, operation, () => new Map<number, Counter>()).set(status, counter)
    return counter
  }

  #durationsOf(operation: string): Histogram {
    return valueIn(this.#durations, operation, () => new Histogram(DURATIONS))
  }
}

function valueIn<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
