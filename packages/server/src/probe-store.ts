/** Tries the stores that are registered as pools, and changes nothing. */
import { access, constants } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type AllowedStores, usualStores } from './config/allowed-stores.ts'
import { type StorageUri, storageUri } from './config/storage-uri.ts'
import type { ProbeStore } from './core/execute.ts'
import type { Clock } from './platform/clock.ts'
import { NotOpened, openWithin } from './platform/open-within.ts'
import { type Storage, StorageUnavailable } from './storage/contract.ts'

/** A trial that takes longer has failed. */
const TIME_LIMIT_MS = 5_000
/** Names of hosts and files keep a thread of Node busy each, of which there are four. */
const AT_ONE_TIME = 3
/** A certificate or key is a few kilobytes. */
const MAX_PEM_BYTES = 65_536

export interface ProbeParts {
  /** The store of this service, which is good in any case, and may be one that nobody else can open. */
  readonly own: { readonly storage: Storage; readonly uri: StorageUri }
  /** Null: the usual ones. */
  readonly allowed: readonly AllowedStores[] | null
  /** What the address of a PostgreSQL names on the disk must lie here. */
  readonly dataDir: string
  readonly clock: Clock
  /** Told why a store cannot be used: the operator may know, who asks may not. */
  refused(reason: string): void
}

/** The answer is yes or no, or the disk could be searched by it. */
export function createProbeStore(parts: ProbeParts): ProbeStore {
  let running = 0
  const objection = (text: string): Promise<string | null> => {
    if (running >= AT_ONE_TIME) return Promise.resolve('too many stores are tried at one time')
    running++
    return withinTime(parts.clock, (signal) => objectionTo(text, parts, signal).finally(() => running--))
  }
  return async (text) => {
    const reason = await objection(text)
    if (reason !== null) parts.refused(reason)
    return reason === null
  }
}

async function withinTime<Answer>(
  clock: Clock,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer | string> {
  const tooLate = Promise.withResolvers<string>()
  const limit = new AbortController()
  const timer = clock.at(clock.now() + TIME_LIMIT_MS, () => {
    limit.abort()
    tooLate.resolve(`it gave no answer within ${TIME_LIMIT_MS / 1000} seconds`)
  })
  try {
    return await Promise.race([tooLate.promise, ask(limit.signal)])
  } finally {
    timer.cancel()
  }
}

/** Null when the store can be used. */
async function objectionTo(text: string, parts: ProbeParts, signal: AbortSignal): Promise<string | null> {
  const parsed = storageUri.parse(text)
  if ('refused' in parsed) return parsed.refused
  const { own, dataDir } = parts
  const allowed = parts.allowed ?? usualStores(dataDir)
  try {
    if (isSameStore(parsed.value, own.uri)) await own.storage.ping()
    // A request must not make this process load code.
    else if (parsed.value.engine === 'module') return 'an engine of a module can be named in the configuration only'
    else if (parsed.value.engine === 'sqlite') await probeFile(parsed.value.file, allowed)
    else await probeServer(parsed.value.uri.reveal(), { allowed, dataDir, signal })
    return null
  } catch (error) {
    // What strangers name, and strange servers answer, can go wrong in any way.
    return error instanceof Error ? error.message : String(error)
  }
}

function isSameStore(a: StorageUri, b: StorageUri): boolean {
  if (a.engine === 'sqlite') return b.engine === 'sqlite' && resolve(a.file) === resolve(b.file)
  return b.engine === a.engine && a.uri.reveal() === b.uri.reveal()
}

/** One that is still to be made needs its folder. */
async function probeFile(file: string, allowed: readonly AllowedStores[]): Promise<void> {
  const places = allowed.filter((one) => one.engine === 'sqlite')
  const handle = await openWithin(file, places)
  if (handle === null) return access(dirname(file), constants.W_OK | constants.X_OK)
  const { probeSqlite } = await import('./storage/sqlite/probe-sqlite.ts')
  await probeSqlite(handle).finally(() => handle.close())
}

async function probeServer(
  uri: string,
  { allowed, dataDir, signal }: { allowed: readonly AllowedStores[]; dataDir: string; signal: AbortSignal },
): Promise<void> {
  const { filesNamedIn, hostsNamedIn } = await import('./storage/postgres/server-address.ts')
  const stranger = hostsNamedIn(uri).find((host) => !allowed.some((one) => admits(one, host)))
  if (stranger !== undefined) throw new StorageUnavailable(`[pooling] allowed_uris does not admit ${stranger.host}`)
  for (const path of filesNamedIn(uri)) {
    const file = await openWithin(path, [{ path: dataDir, isFolder: true }])
    const size = await file?.stat().finally(() => file.close())
    if (size !== undefined && size.size > MAX_PEM_BYTES) throw new NotOpened('it is larger than certificates are')
  }
  const { probePostgres } = await import('./storage/postgres/open-postgres.ts')
  await probePostgres(uri, signal)
}

function admits(allowed: AllowedStores, { host, port }: { host: string; port: number }): boolean {
  if (allowed.engine !== 'postgres' || (allowed.port !== null && allowed.port !== port)) return false
  const name = host.toLowerCase()
  return allowed.host.startsWith('*') ? name.endsWith(allowed.host.slice(1)) : name === allowed.host
}
