import type { ListedFlavor, Pool } from 'zaqar-client'
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
  const words = text.pools
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{words.name}</th>
          <th scope="col">{words.weight}</th>
          <th scope="col">{words.flavor}</th>
          <th scope="col">{words.uri}</th>
        </tr>
      </thead>
      <tbody>
        {pools.map(({ name, weight, flavor, uri }) => (
          <tr key={name}>
            <th scope="row">
              <bdi>{name}</bdi>
            </th>
            <td>{weight}</td>
            <td>{flavor ?? '–'}</td>
            <td>
              <code>{uri}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function FlavorTable({ flavors }: { flavors: readonly ListedFlavor[] }) {
  const words = text.pools
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{words.name}</th>
          <th scope="col">{words.pools}</th>
          <th scope="col">{words.capabilities}</th>
        </tr>
      </thead>
      <tbody>
        {flavors.map(({ name, pool_list: pools, capabilities }) => (
          <tr key={name}>
            <th scope="row">
              <bdi>{name}</bdi>
            </th>
            <td>{pools?.join(', ')}</td>
            <td>{capabilities?.join(', ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
