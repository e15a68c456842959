/** Makes one storage of the store of the service and of those that are registered as pools. */
import type { Config } from './config/options.ts'
import { type StorageUri, storageUri } from './config/storage-uri.ts'
import type { Pool } from './model/model.ts'
import { type OpenedStore, openFile, withVersion } from './open-store.ts'
import { type Admission, admitFile, admitServer, isSameStore } from './pool-address.ts'
import { StorageUnavailable } from './storage/contract.ts'
import { EngineFigures } from './storage/engine-figures.ts'
import type { PooledOptions, PooledStorage } from './storage/pooled/open-pooled.ts'
import type { PoolEngine } from './storage/pooled/pool-engines.ts'

export interface PoolsParts
  extends Admission,
    Pick<PooledOptions, 'draw' | 'flavorOf' | 'relocationReports' | 'report'> {
  /** The address of the store of the service. */
  readonly uri: StorageUri
  readonly config: Pick<Config, 'pooling' | 'storage'>
  /** Milliseconds, with fractions. */
  elapsed(): number
  /** Of this software. */
  readonly version: string
}

export interface OpenedPools extends OpenedStore {
  readonly storage: PooledStorage
}

/** @throws StorageUnavailable when the store of the service is in trouble; a pool may be. */
export async function openPools(store: OpenedStore, parts: PoolsParts): Promise<OpenedPools> {
  const { openPooled } = await import('./storage/pooled/open-pooled.ts')
  const storage = await openPooled({
    own: store.storage,
    isOwn: ({ uri }) => {
      const parsed = storageUri.parse(uri)
      return 'value' in parsed && isSameStore(parsed.value, parts.uri)
    },
    openPool: (pool) => openPool(pool, store, parts),
    usesOwn: parts.config.pooling.virtualPool,
    clock: store.clock,
    draw: parts.draw,
    flavorOf: parts.flavorOf,
    relocationReports: parts.relocationReports,
    report: parts.report,
  })
  // So that none of them is waited for when it is first needed. What cannot be opened is tried again then.
  void storage.engines.openAll()
  return {
    ...store,
    storage,
    async close() {
      await storage.close()
      await store.close()
    },
  }
}

async function openPool(pool: Pool, store: OpenedStore, parts: PoolsParts): Promise<PoolEngine> {
  const parsed = storageUri.parse(pool.uri)
  if ('refused' in parsed) throw new StorageUnavailable(parsed.refused)
  const address = parsed.value
  const { clock, storage } = store
  const { idKey } = storage
  const figures = new EngineFigures(parts.elapsed)
  if (address.engine === 'sqlite') {
    await admitFile(address.file, parts).then((handle) => handle?.close())
    return openFile(address.file, { clock, figures, idKey })
  }
  if (address.engine === 'module') throw new StorageUnavailable('an engine of a module cannot be a pool')
  const text = address.uri.reveal()
  await admitServer(text, parts)
  const { openPostgres } = await import('./storage/postgres/open-postgres.ts')
  const uri = withVersion(withPassword(text), parts.version)
  const connections = connectionsIn(pool.options) ?? parts.config.storage.connections
  return openPostgres({ uri, connections, clock, figures, idKey })
}

const MOST_CONNECTIONS = 64

/** Of the options of the pool, JSON text; null where they say nothing of use. */
function connectionsIn(options: string): number | null {
  const { connections } = JSON.parse(options) as { connections?: unknown }
  const isNumber = Number.isInteger(connections) && (connections as number) >= 1
  return isNumber ? Math.min(connections as number, MOST_CONNECTIONS) : null
}

/** Else the library would look for one of the service's own, in its environment and its home, and show it to that server. */
function withPassword(uri: string): string {
  const address = new URL(uri)
  if (address.password === '' && !address.searchParams.has('password')) address.searchParams.set('password', 'none')
  return address.href
}
