import { useState } from 'preact/hooks'
import { type Pool, storesOf } from 'zaqar-client'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { Table } from '../parts/table.tsx'
import { Trouble } from '../parts/trouble.tsx'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'
import { Flavors } from './flavors.tsx'
import { PoolDialog } from './pool-dialog.tsx'
import { Relocation } from './relocation.tsx'

/** Between two looks, in seconds. */
const LOOK_AGAIN = 10

/** What operators decide of where queues lie; and for everybody, which flavors there are. */
export function PoolsPage({ session }: { session: Session }) {
  // A flavor takes pools with it.
  const [turn, setTurn] = useState(0)
  return (
    <>
      {session.may('pools:get_all') && <Pools session={session} turn={turn} />}
      {session.may('flavors:get_all') && <Flavors session={session} changed={() => setTurn(turn + 1)} />}
    </>
  )
}

type Asked =
  | { readonly what: 'new' | 'rebalance' }
  | { readonly what: 'edit' | 'drain' | 'delete'; readonly pool: Pool }

function Pools({ session, turn }: { session: Session; turn: number }) {
  const { zaqar, may } = session
  const load = (signal: AbortSignal) => Array.fromAsync(zaqar.pools({ detailed: true, signal }))
  const { value, error, reload } = useLoaded(load, `pools ${turn}`, LOOK_AGAIN)
  // A look at health tries every operation on each pool, so it is repeated only when there are others.
  const names = value?.map(({ name }) => name).join(' ') ?? ''
  const health = useLoaded(may('health:get') && names !== '' ? (signal) => zaqar.health({ signal }) : null, names)
  const [asked, setAsked] = useState<Asked | null>(null)
  const close = () => setAsked(null)
  const stores = health.value === null ? null : storesOf(health.value)
  const words = text.pools
  const rows = (value ?? []).map((pool) => ({
    key: pool.name,
    cells: [
      pool.name,
      <code key="uri">{pool.uri}</code>,
      pool.weight,
      pool.flavor ?? '–',
      <HealthOf key="health" isReachable={stores?.get(pool.name)?.storage_reachable} />,
      <span key="actions" class="row-actions">
        {may('pools:update') && (
          <button type="button" class="plain" onClick={() => setAsked({ what: 'edit', pool })}>
            {text.edit}
          </button>
        )}
        {may('pools:drain') && (
          <button type="button" class="plain" onClick={() => setAsked({ what: 'drain', pool })}>
            {words.drain}
          </button>
        )}
        {may('pools:delete') && (
          <button type="button" class="plain danger" onClick={() => setAsked({ what: 'delete', pool })}>
            {text.delete}
          </button>
        )}
      </span>,
    ],
  }))
  return (
    <section aria-labelledby="pools">
      <div class="head">
        <h1 id="pools">{words.pools}</h1>
        <span class="row-actions">
          {may('pools:drain') && rows.length > 1 && (
            <button type="button" onClick={() => setAsked({ what: 'rebalance' })}>
              {words.rebalance}
            </button>
          )}
          {may('pools:create') && (
            <button type="button" class="primary" onClick={() => setAsked({ what: 'new' })}>
              {words.add}
            </button>
          )}
        </span>
      </div>
      <Trouble error={error ?? health.error} />
      {value === null && error === null && <p class="empty">{text.loading}</p>}
      {value?.length === 0 && <p class="empty">{words.none}</p>}
      {rows.length > 0 && (
        <Table
          label={words.pools}
          heads={[words.name, words.uri, words.weight, words.flavor, words.health, words.actions]}
          rows={rows}
        />
      )}
      {asked?.what === 'new' && <PoolDialog zaqar={zaqar} pool={null} changed={reload} close={close} />}
      {asked?.what === 'edit' && <PoolDialog zaqar={zaqar} pool={asked.pool} changed={reload} close={close} />}
      {asked?.what === 'drain' && (
        <Relocation
          title={words.drainTitle(asked.pool.name)}
          hint={words.drainHint}
          begin={(rate) => zaqar.drainPool(asked.pool.name, rate === undefined ? {} : { rate })}
          look={(signal) => zaqar.drain(asked.pool.name, { signal })}
          cancel={() => zaqar.cancelDrain(asked.pool.name)}
          close={close}
        />
      )}
      {asked?.what === 'rebalance' && (
        <Relocation
          title={words.rebalanceTitle}
          hint={words.rebalanceHint}
          begin={(rate) => zaqar.rebalancePools(rate === undefined ? {} : { rate })}
          look={(signal) => zaqar.rebalance({ signal })}
          cancel={() => zaqar.cancelRebalance()}
          close={close}
        />
      )}
      {asked?.what === 'delete' && (
        <DeleteByName
          title={words.delete}
          name={asked.pool.name}
          warning={words.deleteWarning}
          remove={() => zaqar.deletePool(asked.pool.name).then(reload)}
          close={close}
        />
      )}
    </section>
  )
}

function HealthOf({ isReachable }: { isReachable: boolean | undefined }) {
  const words = text.pools
  if (isReachable === undefined) return <>–</>
  return <span class={isReachable ? 'good' : 'bad'}>{isReachable ? words.answers : words.isAway}</span>
}
