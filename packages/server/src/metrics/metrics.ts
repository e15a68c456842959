import type { Family, Labels, Sample, Scope } from './family.ts'
import { Counter, type Histogram } from './instruments.ts'

export interface Description {
  readonly name: string
  /** A sentence without its full stop. */
  readonly help: string
  /** The sum, where it does not say. */
  readonly scope?: Scope
}

/** A value with its labels, or without any. */
export type Reading = number | readonly (readonly [Labels, number])[]

/** All that is measured in this process, in the order in which it was named. */
export class Metrics {
  readonly #families: (() => Family)[] = []

  /** A series for each combination of labels that is asked for, so labels must be few. */
  counter(description: Description): (labels: Labels) => Counter {
    const series: (readonly [Labels, Counter])[] = []
    this.#add(description, 'counter', () => series.map(([labels, { value }]) => ['', labels, value]))
    return (labels) => {
      const counter = new Counter()
      series.push([labels, counter])
      return counter
    }
  }

  /** Histograms that somebody has, with their labels; more may come. */
  histogram(description: Description, read: () => readonly (readonly [Labels, Histogram])[]): void {
    this.#add(description, 'histogram', () =>
      read().flatMap(([labels, histogram]) => histogramSamples(labels, histogram)),
    )
  }

  /** What somebody counts by himself. */
  total(description: Description, read: () => Reading): void {
    this.#add(description, 'counter', () => samplesOf(read()))
  }

  /** What goes up and down. */
  gauge(description: Description, read: () => Reading): void {
    this.#add(description, 'gauge', () => samplesOf(read()))
  }

  collect(): Family[] {
    return this.#families.map((read) => read())
  }

  #add({ name, help, scope = 'sum' }: Description, type: Family['type'], read: () => Sample[]): void {
    this.#families.push(() => ({ name, help, type, scope, samples: read() }))
  }
}

function samplesOf(reading: Reading): Sample[] {
  if (typeof reading === 'number') return [['', {}, reading]]
  return reading.map(([labels, value]) => ['', labels, value])
}

function histogramSamples(labels: Labels, { bounds, counts, sum }: Histogram): Sample[] {
  let count = 0
  const upTo = (bound: string, more: number): Sample => {
    count += more
    return ['_bucket', { ...labels, le: bound }, count]
  }
  return [
    ...bounds.map((bound, i) => upTo(String(bound), counts[i] as number)),
    upTo('+Inf', counts[bounds.length] as number),
    ['_sum', labels, sum],
    ['_count', labels, count],
  ]
}
