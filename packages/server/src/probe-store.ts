/** Tries the stores that are registered as pools, and changes nothing. */
import { type StorageUri, storageUri } from './config/storage-uri.ts'
import type { ProbeStore } from './core/execute.ts'
import type { Clock } from './platform/clock.ts'
import { type Admission, admitFile, admitServer, isSameStore } from './pool-address.ts'
import type { Storage } from './storage/contract.ts'

/** A trial that takes longer has failed. */
const TIME_LIMIT_MS = 5_000
/** Names of hosts and files keep a thread of Node busy each, of which there are four. */
const AT_ONE_TIME = 3

export interface ProbeParts extends Admission {
  /** The store of this service, which is good in any case, and may be one that nobody else can open. */
  readonly own: { readonly storage: Storage; readonly uri: StorageUri }
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
  const { own } = parts
  try {
    if (isSameStore(parsed.value, own.uri)) await own.storage.ping()
    // A request must not make this process load code.
    else if (parsed.value.engine === 'module') return 'an engine of a module can be named in the configuration only'
    else if (parsed.value.engine === 'sqlite') await probeFile(parsed.value.file, parts)
    else await probeServer(parsed.value.uri.reveal(), parts, signal)
    return null
  } catch (error) {
    // What strangers name, and strange servers answer, can go wrong in any way.
    return error instanceof Error ? error.message : String(error)
  }
}

async function probeFile(file: string, parts: ProbeParts): Promise<void> {
  const handle = await admitFile(file, parts)
  if (handle === null) return
  const { probeSqlite } = await import('./storage/sqlite/probe-sqlite.ts')
  await probeSqlite(handle).finally(() => handle.close())
}

async function probeServer(uri: string, parts: ProbeParts, signal: AbortSignal): Promise<void> {
  await admitServer(uri, parts)
  const { probePostgres } = await import('./storage/postgres/open-postgres.ts')
  await probePostgres(uri, signal)
}
