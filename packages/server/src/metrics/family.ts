/** What is told of one metric: plain values, that can go from one process to another. */
export interface Family {
  /** A counter's ends in `_total`. */
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly scope: Scope
  readonly samples: readonly Sample[]
}

/**
 * What several workers make of their samples: the sum; one series for each worker, by a label; or what one of them says
 * about all, such as how much is in the store.
 */
export type Scope = 'sum' | 'worker' | 'store'

/** `suffix` follows the name of the family: `_bucket`, `_sum` or `_count` of a histogram, else nothing. */
export type Sample = readonly [suffix: string, labels: Labels, value: number]

export type Labels = Readonly<Record<string, string>>
