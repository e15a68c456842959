import type { ListedFlavor, Pool } from 'zaqar-client'
import { Table } from '../parts/table.tsx'
import { Trouble } from '../parts/trouble.tsx'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'

/** Between two looks, in seconds. */
const LOOK_AGAIN = 10

export function PoolsPage({ session }: { session: Session }) {
  const { zaqar } = session
  const pools = useLoaded((signal) => Array.fromAsync(zaqar.pools({ signal })), 'pools', LOOK_AGAIN)
  const flavors = useLoaded(
    (signal) => Array.fromAsync(zaqar.flavors({ detailed: true, signal })),
    'flavors',
    LOOK_AGAIN,
  )
  const words = text.pools
  return (
    <>
      <h1>{words.pools}</h1>
      <Trouble error={pools.error} />
      {pools.value?.length === 0 && <p class="empty">{words.none}</p>}
      {pools.value !== null && pools.value.length > 0 && <PoolTable pools={pools.value} />}
      <h2>{words.flavors}</h2>
      <Trouble error={flavors.error} />
      {flavors.value?.length === 0 && <p class="empty">{words.noFlavors}</p>}
      {flavors.value !== null && flavors.value.length > 0 && <FlavorTable flavors={flavors.value} />}
    </>
  )
}

function PoolTable({ pools }: { pools: readonly Pool[] }) {
  const { name, weight, flavor, uri } = text.pools
  const rows = pools.map(
    (pool) => [pool.name, pool.weight, pool.flavor ?? '–', <code key="uri">{pool.uri}</code>] as const,
  )
  return <Table heads={[name, weight, flavor, uri]} rows={rows} />
}

function FlavorTable({ flavors }: { flavors: readonly ListedFlavor[] }) {
  const { name, pools, capabilities } = text.pools
  const rows = flavors.map(
    (flavor) => [flavor.name, flavor.pool_list?.join(', '), flavor.capabilities?.join(', ')] as const,
  )
  return <Table heads={[name, pools, capabilities]} rows={rows} />
}
