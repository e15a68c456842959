import { type StoreHealth, storesOf } from 'zaqar-client/http'
import { Table } from '../parts/table.tsx'
import { Trouble } from '../parts/trouble.tsx'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'

/** Between two looks, in seconds: each tries every operation on the storage. */
const LOOK_AGAIN = 10

/** What operators see of the service: its health and its sockets. */
export function ServicePage({ session }: { session: Session }) {
  const { value, error } = useLoaded((signal) => session.zaqar.health({ signal }), 'health', LOOK_AGAIN)
  const words = text.service
  return (
    <>
      <h1>{words.health}</h1>
      <Trouble error={error} />
      {value === null ? (
        <p class="empty">{text.loading}</p>
      ) : (
        <>
          {'catalog_reachable' in value && <p>{value.catalog_reachable ? words.reachable : words.unreachable}</p>}
          {value.storage_weakness !== undefined && (
            <p class="trouble">
              {words.weakness}: {value.storage_weakness}
            </p>
          )}
          {[...storesOf(value)].map(([name, store]) => (
            <Store key={name} name={name} store={store} />
          ))}
          <h2>{words.sockets}</h2>
          <dl class="figures">
            {(['connections', 'subscriptions', 'pushed', 'dropped'] as const).map((figure) => (
              <div key={figure}>
                <dt>{words[figure]}</dt>
                <dd>{value.sockets[figure]}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </>
  )
}

function Store({ name, store }: { name: string; store: StoreHealth }) {
  const words = text.service
  const rows = Object.entries(store.operation_status).map(
    ([operation, { succeeded, seconds }]) => [operation, succeeded ? words.works : words.fails, seconds] as const,
  )
  return (
    <>
      {name !== '' && <h2>{name}</h2>}
      <p>{store.storage_reachable ? words.reachable : words.unreachable}</p>
      <Table heads={[words.operation, words.works, words.seconds]} rows={rows} />
    </>
  )
}
