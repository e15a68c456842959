import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSystemClock } from '../packages/server/src/platform/system-clock.ts'
import { type RunningServer, startService, temporaryFolder } from './service.ts'
import type { Store, Stores } from './stores.ts'

/** Stores of a service with pooling. */
export interface PooledStores {
  /** Keeps the registry and the catalogue. */
  readonly own: Store
  readonly pools: readonly NamedStore[]
  /** They must stay as long as the service runs. */
  start(): Promise<RunningServer>
  remove(): Promise<void>
}

export interface NamedStore {
  readonly name: string
  readonly store: Store
}

/** Files lie in folders of their own. */
const CONFIG = `[DEFAULT]
pooling = true
[pooling]
allowed_uris =
  sqlite:/*
  postgres://*
`

/** So many empty pools of equal weight. `options`: of each, as the API has them. */
export async function createPooledStores(stores: Stores, count: number, options: object = {}): Promise<PooledStores> {
  const folder = temporaryFolder()
  const file = join(folder.path, 'zaqar.conf')
  writeFileSync(file, CONFIG)
  const own = await stores.create()
  const registry = await own.open(createSystemClock())
  const first = await stores.create()
  await (await first.open(createSystemClock())).close()
  const pools: NamedStore[] = [{ name: 'pool-0', store: first }]
  // A copy needs no migration, of which a hundred take their time.
  while (pools.length < count) pools.push({ name: `pool-${pools.length}`, store: await first.copy() })
  for (const { name, store } of pools) {
    const pool = { name, uri: store.uri, weight: 1, options: JSON.stringify(options), flavor: null }
    await registry.pools.putPool({ project: '', pool })
  }
  await registry.close()
  return {
    own,
    pools,
    start: () => startService(own.uri, ['--config-file', file]),
    async remove() {
      await Promise.all([own, ...pools.map(({ store }) => store)].map((store) => store.remove()))
      folder.remove()
    },
  }
}
