/**
 * What a store can do, as flavors tell it. Every engine of this service gives the same guarantees, and so the same
 * capabilities; a pool never differs from others of its flavor. (contract http.md 3.12.1)
 */
const EVERY_ENGINE = ['FIFO', 'CLAIMS', 'DURABILITY', 'AOD', 'HIGH_THROUGHPUT'] as const

/** Of a flavor with these pools. */
export function capabilitiesOf({ pools }: { readonly pools: readonly string[] }): readonly string[] {
  return pools.length === 0 ? [] : EVERY_ENGINE
}
