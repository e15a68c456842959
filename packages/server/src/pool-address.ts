/** Which stores may be pools: `[pooling] allowed_uris`. */
import type { FileHandle } from 'node:fs/promises'
import { access, constants } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type AllowedStores, usualStores } from './config/allowed-stores.ts'
import type { StorageUri } from './config/storage-uri.ts'
import { NotOpened, openWithin } from './platform/open-within.ts'
import { StorageUnavailable } from './storage/contract.ts'

/** A certificate or key is a few kilobytes. */
const MAX_PEM_BYTES = 65_536

export interface Admission {
  /** Null: the usual ones. */
  readonly allowed: readonly AllowedStores[] | null
  /** What the address of a PostgreSQL names on the disk must lie here. */
  readonly dataDir: string
}

export function isSameStore(a: StorageUri, b: StorageUri): boolean {
  if (a.engine === 'sqlite') return b.engine === 'sqlite' && resolve(a.file) === resolve(b.file)
  return b.engine === a.engine && a.uri.reveal() === b.uri.reveal()
}

/**
 * Null for a file that is still to be made; it needs its folder.
 * @throws when it may not be a pool
 */
export async function admitFile(file: string, { allowed, dataDir }: Admission): Promise<FileHandle | null> {
  const places = (allowed ?? usualStores(dataDir)).filter((one) => one.engine === 'sqlite')
  const handle = await openWithin(file, places)
  if (handle === null) await access(dirname(file), constants.W_OK | constants.X_OK)
  return handle
}

/** @throws when it may not be a pool */
export async function admitServer(uri: string, { allowed, dataDir }: Admission): Promise<void> {
  const { filesNamedIn, hostsNamedIn } = await import('./storage/postgres/server-address.ts')
  const stores = allowed ?? usualStores(dataDir)
  const stranger = hostsNamedIn(uri).find((host) => !stores.some((one) => admits(one, host)))
  if (stranger !== undefined) throw new StorageUnavailable(`[pooling] allowed_uris does not admit ${stranger.host}`)
  for (const path of filesNamedIn(uri)) {
    const file = await openWithin(path, [{ path: dataDir, isFolder: true }])
    const size = await file?.stat().finally(() => file.close())
    if (size !== undefined && size.size > MAX_PEM_BYTES) throw new NotOpened('it is larger than certificates are')
  }
}

function admits(allowed: AllowedStores, { host, port }: { host: string; port: number }): boolean {
  if (allowed.engine !== 'postgres' || (allowed.port !== null && allowed.port !== port)) return false
  const name = host.toLowerCase()
  return allowed.host.startsWith('*') ? name.endsWith(allowed.host.slice(1)) : name === allowed.host
}
