import type { Health, StoreHealth } from './documents.ts'

/** The stores that a service works with: its pools by their names, and without pooling one, whose name is empty. */
export function storesOf(health: Health): ReadonlyMap<string, StoreHealth> {
  if (!('catalog_reachable' in health)) return new Map([['', health]])
  const { catalog_reachable, sockets, process, storage_weakness, ...pools } = health
  return new Map(Object.entries(pools) as [string, StoreHealth][])
}
