import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../platform/clock.ts'
import type { Abilities, Storage } from '../contract.ts'
import { createClaimStore } from './claims.ts'
import { asStorageError, isFull, openDatabase } from './database.ts'
import { createEngine } from './engine.ts'
import { createMessageStore } from './messages.ts'
import { migrate } from './migrate.ts'
import { createPoolStore } from './pools.ts'
import { createQueueStore } from './queues.ts'
import { ReserveFile } from './reserve-file.ts'
import { Room } from './room.ts'
import { createSubscriptionStore } from './subscriptions.ts'
import { Sweeper } from './sweeper.ts'

export const abilities: Abilities = {
  engine: 'sqlite',
  survivesReopen: true,
  severalProcesses: false,
  keepsRegistry: true,
}

export interface SqliteOptions {
  /** The file, made when missing; `:memory:` for a store that ends with the process. */
  readonly path: string
  readonly clock: Clock
}

/**
 * The default engine: one file, one process, every answered write synced.
 * @throws StorageUnavailable when the file cannot be used.
 */
export async function openSqlite({ path, clock }: SqliteOptions): Promise<Storage> {
  const db = openDatabase(path)
  try {
    const room = path === ':memory:' ? null : new Room(db, new ReserveFile(`${path}-reserve`))
    migrateWithRoom(db, room)
    const engine = createEngine(db, clock, room)
    const sweeper = new Sweeper(engine, clock)
    sweeper.lookOver()
    sweeper.start()
    const { turns, watchers } = engine
    const probe = db.prepare('UPDATE service SET is_only = 1')
    return {
      abilities,
      weakness: () => (path === ':memory:' ? 'kept in memory only: everything is lost when the process ends' : null),
      queues: createQueueStore(engine),
      messages: createMessageStore(engine),
      claims: createClaimStore(engine),
      subscriptions: createSubscriptionStore(engine),
      pools: createPoolStore(engine),
      watch: (queue, listener) => watchers.watch(queue, listener),
      ping: () =>
        turns.submit(() => {
          engine.needRoom()
          probe.run()
        }),
      async close() {
        sweeper.stop()
        watchers.close()
        await turns.close()
        if (!db.isOpen) return
        db.close()
        room?.close()
      },
    }
  } catch (error) {
    db.close()
    throw asStorageError(error)
  }
}

/** What is there must be served although the disk is full, also by a version that stores it otherwise. */
function migrateWithRoom(db: DatabaseSync, room: Room | null): void {
  try {
    migrate(db)
  } catch (error) {
    if (!isFull(error)) throw error
    if (db.isTransaction) db.exec('ROLLBACK')
    room?.failed(error)
    migrate(db)
  }
}
