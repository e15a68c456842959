/** What upstream's stores can do; of ours, each can do all of it, unless it is set up to lose what it has answered. */
const OF_EVERY_ENGINE = ['FIFO', 'CLAIMS', 'DURABILITY', 'AOD', 'HIGH_THROUGHPUT'] as const

/**
 * What a queue can count on that may lie in any of these stores. `weaknesses`: of each what it says of itself, null for
 * nothing, undefined where it cannot be asked: then nobody can say that it is durable. (contract http.md 3.12.1)
 */
export function capabilitiesOf(weaknesses: readonly (string | null | undefined)[]): readonly string[] {
  if (weaknesses.length === 0) return []
  const areDurable = weaknesses.every((weakness) => weakness === null)
  return OF_EVERY_ENGINE.filter((capability) => areDurable || capability !== 'DURABILITY')
}
