import { randomBytes } from 'node:crypto'
import { type Harness, runConformance } from 'zaqar-conformance'
import { abilities, openSqlite } from '../../../src/storage/sqlite/open-sqlite.ts'
import { Catalogue, createRestless } from './restless-storage.ts'

const restless = {
  ...abilities,
  engine: 'restless',
  survivesReopen: false,
  keepsRegistry: false,
  carriesDepartures: true,
} as const

/**
 * Whatever the kit does with a queue, it does while that moves from one store to the other and back. It takes minutes, and is run
 * with ZAQAR_MOVES=kit; move-queue.test.ts has what is always run.
 */
const harness: Harness = {
  abilities: restless,
  async open(clock) {
    const catalogue = new Catalogue(1_234_567)
    const idKey = randomBytes(16)
    const pool = async (name: string) => ({ name, engine: await openSqlite({ path: ':memory:', clock, idKey }) })
    return {
      storage: createRestless([await pool('a'), await pool('b')], catalogue, clock, restless),
      drop: async () => {},
    }
  },
}

if (process.env.ZAQAR_MOVES === 'kit')
  runConformance('queues that move between SQLite stores', harness, { sequences: 100 })
