import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../platform/clock.ts'
import type { Abilities, Storage } from '../contract.ts'
import { EngineFigures } from '../engine-figures.ts'
import { createCensusStore } from './census.ts'
import { createClaimStore } from './claims.ts'
import { asStorageError, isFull, openDatabase } from './database.ts'
import { createDeliveryStore } from './deliveries.ts'
import { createEngine } from './engine.ts'
import { Freezer } from './freezer.ts'
import { endLeases } from './leasing.ts'
import { createMessageStore } from './messages.ts'
import { migrate } from './migrate.ts'
import { createMoveStore } from './moves.ts'
import { createPlacementStore } from './placements.ts'
import { createPoolStore } from './pools.ts'
import { createQueueStore } from './queues.ts'
import { createRelocationStore } from './relocations.ts'
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
  /** The key of the service that ids are sealed with, 16 bytes; without it the file's own. */
  readonly idKey?: Uint8Array
  /** Kept for those who watch the service. */
  readonly figures?: EngineFigures
}

export interface SqliteStorage extends Storage {
  /** Null of a store in memory. */
  readonly freezer: Freezer | null
}

/**
 * The default engine: one file, one process, every answered write synced.
 * @throws StorageUnavailable when the file cannot be used.
 */
export async function openSqlite({
  path,
  clock,
  idKey,
  figures = new EngineFigures(() => 0),
}: SqliteOptions): Promise<SqliteStorage> {
  const db = openDatabase(path)
  try {
    const room = path === ':memory:' ? null : new Room(db, new ReserveFile(`${path}-reserve`))
    withRoom(db, room, () => {
      migrate(db, idKey)
      endLeases(db)
    })
    const engine = createEngine({ db, clock, room, figures, idKey: idKey ?? storedKey(db) })
    const freezer = room && new Freezer(db, path, room, clock)
    const moves = createMoveStore(engine)
    const sweeper = new Sweeper(engine, clock, moves)
    sweeper.lookOver()
    sweeper.start()
    const { turns, gone, watchers, subscriptionWatchers, work } = engine
    const probe = db.prepare('UPDATE service SET is_only = 1')
    return {
      abilities,
      freezer,
      weakness: () => (path === ':memory:' ? 'kept in memory only: everything is lost when the process ends' : null),
      queues: createQueueStore(engine),
      messages: createMessageStore(engine),
      claims: createClaimStore(engine),
      subscriptions: createSubscriptionStore(engine),
      deliveries: createDeliveryStore(engine),
      moves,
      pools: createPoolStore(engine),
      placements: createPlacementStore(engine),
      relocations: createRelocationStore(engine),
      idKey: engine.idKey,
      census: createCensusStore(engine),
      watch: (queue, listener) => watchers.watch(queue, listener),
      watchSubscriptions: (queue, listener) => subscriptionWatchers.watch(queue, listener),
      async keepGone(queue) {
        // Rejects where the storage is closed.
        await turns.submit(() => undefined)
        return gone.keep(queue)
      },
      watchWork: (listener) => work.watch(listener),
      ping: () =>
        turns.submit(() => {
          engine.needRoom()
          probe.run()
        }),
      async close() {
        sweeper.stop()
        watchers.close()
        subscriptionWatchers.close()
        work.close()
        await turns.close()
        if (!db.isOpen) return
        freezer?.close()
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
function withRoom(db: DatabaseSync, room: Room | null, prepare: () => void): void {
  try {
    prepare()
  } catch (error) {
    if (!isFull(error)) throw error
    if (db.isTransaction) db.exec('ROLLBACK')
    room?.failed(error)
    prepare()
  }
}

function storedKey(db: DatabaseSync): Uint8Array {
  return (db.prepare('SELECT id_key FROM service').get() as { id_key: Uint8Array }).id_key
}
