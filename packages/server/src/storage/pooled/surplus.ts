/** A pool among others, with so many queues. */
export interface Share {
  readonly name: string
  readonly weight: number
  readonly queues: number
}

/**
 * How many queues each pool has too many, or too few where that is below 0, so that they are in proportion to the weights:
 * each is to have its share, rounded up or down, whichever needs the fewest moves. They add up to 0. The weights must be
 * above 0.
 */
export function surplusOf(shares: readonly Share[]): Map<string, number> {
  const all = BigInt(shares.reduce((sum, { queues }) => sum + queues, 0))
  const weights = shares.reduce((sum, { weight }) => sum + BigInt(weight), 0n)
  const parts = shares.map(({ name, weight, queues }) => {
    const part = all * BigInt(weight)
    const whole = Number(part / weights)
    return { name, queues, whole, rest: part % weights, isOver: queues > whole }
  })
  let left = Number(all) - parts.reduce((sum, { whole }) => sum + whole, 0)
  // What is there already need not move, so those that have more than their share keep one more.
  const roundedUp = new Set<string>()
  for (const { name, rest } of [...parts].sort(byClaim)) {
    if (left === 0 || rest === 0n) continue
    roundedUp.add(name)
    left -= 1
  }
  return new Map(parts.map(({ name, queues, whole }) => [name, queues - whole - (roundedUp.has(name) ? 1 : 0)]))
}

interface Part {
  readonly isOver: boolean
  readonly rest: bigint
}

function byClaim(a: Part, b: Part): number {
  if (a.isOver !== b.isOver) return a.isOver ? -1 : 1
  return a.rest === b.rest ? 0 : a.rest > b.rest ? -1 : 1
}
