import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../packages/server/src/platform/clock.ts'
import type { Storage } from '../packages/server/src/storage/contract.ts'
import { openSqlite } from '../packages/server/src/storage/sqlite/open-sqlite.ts'
import { temporaryFolder } from './service.ts'

/** A place for the service to store things, made for a run and gone with it. */
export interface Store {
  /** What the service is given as `--storage`. */
  readonly uri: string
  /** Its contents, without the service. */
  open(clock: Clock): Promise<Storage>
  /** Another store with the same contents. Nobody may have this one open. */
  copy(): Promise<Store>
  remove(): Promise<void>
}

/** A database on a server. */
export interface ServedStore extends Store {
  copy(): Promise<ServedStore>
  /**
   * Holds somebody else's transaction open, which may go on seeing all that is there now, until the answer is called.
   */
  pin(): Promise<() => Promise<void>>
}

/** An engine with room for any number of stores. */
export type Stores = FileStores | ServerStores

interface FileStores {
  readonly engine: 'sqlite'
  create(): Promise<Store>
  close(): Promise<void>
}

export interface ServerStores {
  readonly engine: 'postgres'
  create(): Promise<ServedStore>
  /** Frees what the stores share, after all of them. */
  close(): Promise<void>
}

/** Each store is a file in a folder of its own. */
export function sqliteStores(): FileStores {
  return { engine: 'sqlite', create: async () => sqliteStore(temporaryFolder()), close: async () => {} }
}

function sqliteStore(folder: { readonly path: string; remove(): void }): Store {
  const path = join(folder.path, 'store.db')
  return {
    uri: `sqlite:${path}`,
    open: (clock) => openSqlite({ path, clock }),
    async copy() {
      const another = temporaryFolder()
      cpSync(folder.path, another.path, { recursive: true })
      return sqliteStore(another)
    },
    remove: async () => folder.remove(),
  }
}
