/**
 * One of the pools, in proportion to their weights; null when there is none. `pools`: in the order of their names.
 * `draw`: from 0 to below 1.
 */
export function drawPool(
  pools: readonly { readonly name: string; readonly weight: number }[],
  without: readonly string[],
  draw: number,
): string | null {
  const left = pools.filter(({ name }) => !without.includes(name))
  let rest = draw * left.reduce((sum, { weight }) => sum + weight, 0)
  for (const { name, weight } of left) {
    rest -= weight
    if (rest < 0) return name
  }
  return left.at(-1)?.name ?? null
}
