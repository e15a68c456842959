/** Pools and flavors, whose stores are others at the destination. */
import type { Side } from './side.ts'

/** Addresses of pools at the destination by their names. */
export type PoolAddresses = Readonly<Record<string, string>>

/** Makes those pools that have an address and are not there. Answers how many. @throws ZaqarError */
export async function importPools(
  source: Side,
  destination: Side,
  { addresses, isDry, signal }: { addresses: PoolAddresses; isDry: boolean; signal: AbortSignal },
): Promise<number> {
  let made = 0
  for await (const { name, weight, options } of source.zaqar.pools({ detailed: true, signal })) {
    const uri = addresses[name]
    if (uri === undefined || (await destination.zaqar.pool(name, { signal })) !== null) continue
    if (!isDry) await destination.zaqar.putPool(name, { uri, weight, ...(options && { options }) }, { signal })
    made += 1
  }
  return made
}

/** Makes the flavors of a project that are not there, of those of their pools that have an address. Answers how many. */
export async function importFlavors(
  source: Side,
  destination: Side,
  { addresses, isDry, signal }: { addresses: PoolAddresses; isDry: boolean; signal: AbortSignal },
): Promise<number> {
  let made = 0
  for await (const { name, pool_list: all = [] } of source.zaqar.flavors({ detailed: true, signal })) {
    const pools = all.filter((pool) => pool in addresses)
    if (pools.length === 0 || (await destination.zaqar.flavor(name, { signal })) !== null) continue
    if (!isDry) await destination.zaqar.putFlavor(name, pools, { signal })
    made += 1
  }
  return made
}
