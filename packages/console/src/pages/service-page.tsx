import { useRef } from 'preact/hooks'
import { type Health, type StoreHealth, storesOf } from 'zaqar-client'
import { Table } from '../parts/table.tsx'
import { Trouble } from '../parts/trouble.tsx'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { timeText } from '../time-text.ts'
import { useLoaded } from '../use-loaded.ts'

/** Between two looks, in seconds: each tries every operation on the storage. */
const LOOK_AGAIN = 10

type Answered = Pick<Health, 'process' | 'sockets'> & { readonly at: string }

/** What operators see of the service: its health, and the processes that have answered this page. */
export function ServicePage({ session }: { session: Session }) {
  const answered = useRef(new Map<string, Answered>())
  const { value, error } = useLoaded(
    async (signal) => {
      const health = await session.zaqar.health({ signal })
      const { process, sockets } = health
      answered.current.set(`${process.host} ${process.pid}`, { process, sockets, at: new Date().toISOString() })
      return health
    },
    'health',
    LOOK_AGAIN,
  )
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
          <Processes answered={answered.current} />
        </>
      )}
    </>
  )
}

function Store({ name, store }: { name: string; store: StoreHealth }) {
  const words = text.service
  const rows = Object.entries(store.operation_status).map(([operation, { succeeded, seconds, ref }]) => ({
    key: operation,
    cells: [
      operation,
      <span key="works" class={succeeded ? 'good' : 'bad'}>
        {succeeded ? words.works : words.fails}
      </span>,
      seconds,
      ref === null ? '–' : <code key="ref">{ref}</code>,
    ],
  }))
  return (
    <section>
      {name !== '' && <h2>{name}</h2>}
      <p>{store.storage_reachable ? words.reachable : words.unreachable}</p>
      <Table
        label={name === '' ? words.health : name}
        heads={[words.operation, words.result, words.seconds, words.ref]}
        rows={rows}
      />
    </section>
  )
}

function Processes({ answered }: { answered: ReadonlyMap<string, Answered> }) {
  const words = text.service
  const rows = [...answered].map(([key, { process, sockets, at }]) => ({
    key,
    cells: [
      process.host,
      process.pid,
      process.version,
      process.engine,
      timeText(process.started),
      sockets.connections,
      sockets.subscriptions,
      sockets.pushed,
      sockets.dropped,
      timeText(at),
    ],
  }))
  const { host, pid, version, engine, started, connections, subscriptions, pushed, dropped, seen } = words
  return (
    <section>
      <h2>{words.processes}</h2>
      <p class="hint">{words.processesHint}</p>
      <Table
        label={words.processes}
        heads={[host, pid, version, engine, started, connections, subscriptions, pushed, dropped, seen]}
        rows={rows}
      />
    </section>
  )
}
