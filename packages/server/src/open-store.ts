/** Finds the engine that a storage URI names. Each is loaded only where it is used. */
import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from './config/options.ts'
import type { StorageUri } from './config/storage-uri.ts'
import type { Clock } from './platform/clock.ts'
import { type Abilities, type Storage, StorageUnavailable } from './storage/contract.ts'
import type { EngineFigures } from './storage/engine-figures.ts'
import type { Freezer } from './storage/sqlite/freezer.ts'
import type { SqliteOptions, SqliteStorage } from './storage/sqlite/open-sqlite.ts'

type Store = Pick<Config['storage'], 'uri' | 'listenUri' | 'connections'>

export interface OpenedStore {
  readonly storage: Storage
  /** The clock that decides what is due in this store. */
  readonly clock: Clock
  /** Of a store whose file can be copied while it is in use; else null. */
  readonly freezer: Freezer | null
  close(): Promise<void>
}

/** What a module that is named as the engine exports. */
interface EngineModule {
  readonly abilities: Abilities
  openStorage(p: { uri: string; clock: Clock }): Promise<Storage>
}

interface StoreParts {
  /** Of this machine. */
  readonly local: Clock
  /** Gets what the engine tells of its work. */
  readonly figures: EngineFigures
  /** Of this software. */
  readonly version: string
}

/** @throws StorageUnavailable, or whatever an engine of somebody else's throws. */
export async function openStore(store: Store, parts: StoreParts): Promise<OpenedStore> {
  const { uri } = store
  const { local, figures } = parts
  if (uri.engine === 'postgres') return openOnServer(store, uri.uri.reveal(), parts)
  if (uri.engine === 'module') return opened(await openModule(uri, local), local, null)
  const storage = await openFile(uri.file, { clock: local, figures })
  return opened(storage, local, storage.freezer)
}

function opened(storage: Storage, clock: Clock, freezer: Freezer | null): OpenedStore {
  return { storage, clock, freezer, close: () => storage.close() }
}

/** Ends a sentence that says what was wanted of several processes; null when they may share the store. */
export async function whyOneProcess(uri: StorageUri): Promise<string | null> {
  const { severalProcesses } = await abilitiesOf(uri)
  if (severalProcesses) return null
  return uri.engine === 'module'
    ? `the engine of ${uri.module} does not say that several processes can share it`
    : 'one process alone can have the file of SQLite; several can share a PostgreSQL, --storage postgres://...'
}

async function abilitiesOf(uri: StorageUri): Promise<Abilities> {
  if (uri.engine === 'sqlite') return (await import('./storage/sqlite/open-sqlite.ts')).abilities
  if (uri.engine === 'postgres') return (await import('./storage/postgres/open-postgres.ts')).abilities
  return (await loadEngine(uri.module)).abilities
}

/** For people: no password, and nothing that might hold one. */
export function describeStore(uri: StorageUri): string {
  if (uri.engine === 'sqlite') return resolve(uri.file)
  if (uri.engine === 'module') return `kept by the engine of ${uri.module}`
  const { host, pathname, searchParams } = new URL(uri.uri.reveal())
  return `PostgreSQL at ${searchParams.get('host') ?? host}, database ${decodeURIComponent(pathname.slice(1))}`
}

/** The folder of the file is made when it is missing, for this user alone. */
export async function openFile(file: string, options: Omit<SqliteOptions, 'path'>): Promise<SqliteStorage> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const { openSqlite } = await import('./storage/sqlite/open-sqlite.ts')
  return openSqlite({ path: file, ...options })
}

/** Nodes agree on the time of their server. */
async function openOnServer(
  { listenUri, connections }: Store,
  address: string,
  { local, figures, version }: StoreParts,
): Promise<OpenedStore> {
  const uri = withVersion(address, version)
  const { openPostgres } = await import('./storage/postgres/open-postgres.ts')
  const { ServerClock } = await import('./storage/postgres/server-clock.ts')
  const clock = await ServerClock.open({ uri, local })
  try {
    const storage = await openPostgres({
      uri,
      ...(listenUri && { listenUri: withVersion(listenUri.reveal(), version) }),
      connections,
      clock,
      figures,
    })
    return {
      storage,
      clock,
      freezer: null,
      async close() {
        clock.close()
        await storage.close()
      },
    }
  } catch (error) {
    clock.close()
    throw error
  }
}

/** The server shows of each session whose it is: so it knows which versions are at work on it. An operator's own name stays. */
export function withVersion(address: string, version: string): string {
  const uri = new URL(address)
  if (!uri.searchParams.has('application_name')) {
    uri.searchParams.set('application_name', `zaqar/${version} node/${process.versions.node}`)
  }
  return uri.href
}

async function openModule(p: { module: string; uri: { reveal(): string } }, clock: Clock): Promise<Storage> {
  const { openStorage } = await loadEngine(p.module)
  return openStorage({ uri: p.uri.reveal(), clock })
}

async function loadEngine(module: string): Promise<EngineModule> {
  const isPath = /^\.{0,2}\//.test(module)
  const specifier = isPath ? pathToFileURL(resolve(module)).href : module
  const engine = (await import(specifier)) as Partial<EngineModule>
  if (engine.openStorage === undefined) throw new StorageUnavailable(`${module} exports no function openStorage`)
  if (engine.abilities === undefined) throw new StorageUnavailable(`${module} does not export its abilities`)
  return engine as EngineModule
}
