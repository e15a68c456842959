import type { Stats } from 'zaqar-client'

export type Rates = NonNullable<Stats['rates']>

/** Steps at the end that count for what goes on now. */
const LATELY = 6

/** Messages a second, over the last half minute. */
export function rateOf(counts: readonly number[], { step }: Rates): number {
  const latest = counts.slice(-LATELY)
  return latest.length === 0 ? 0 : sumOf(latest) / (latest.length * step)
}

export function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/** With as many digits as say something. */
export function rateText(perSecond: number): string {
  if (perSecond >= 10) return perSecond.toFixed(0)
  return perSecond === 0 ? '0' : perSecond.toFixed(perSecond < 0.1 ? 2 : 1)
}
