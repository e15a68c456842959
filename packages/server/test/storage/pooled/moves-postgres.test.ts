import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe } from 'node:test'
import { type Harness, runConformance } from 'zaqar-conformance'
import type { Abilities, Clock } from '../../../src/storage/contract.ts'
import { openPostgres, abilities as postgres } from '../../../src/storage/postgres/open-postgres.ts'
import { openSqlite } from '../../../src/storage/sqlite/open-sqlite.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from '../postgres-server.ts'
import { Catalogue, createRestless } from './restless-storage.ts'

const restless: Abilities = {
  ...postgres,
  engine: 'restless',
  survivesReopen: false,
  severalProcesses: false,
  keepsRegistry: false,
  carriesDepartures: true,
}
const missing = await missingPostgres()

if (process.env.ZAQAR_MOVES === 'kit') {
  assert.equal(missing, null)
  describe('queues that move', testMoves)
}

function testMoves(): void {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  const engines = {
    async SQLite(clock: Clock, idKey: Uint8Array) {
      return { engine: await openSqlite({ path: ':memory:', clock, idKey }), drop: async () => {} }
    },
    async PostgreSQL(clock: Clock, idKey: Uint8Array) {
      const schema = newSchema()
      const engine = await openPostgres({ uri: server.uri, schema, connections: 1, clock, idKey })
      return { engine, drop: () => administer(server.uri, `DROP SCHEMA "${schema}" CASCADE`) }
    },
  }

  /** As in moves-sqlite.test.ts. */
  const between = (one: keyof typeof engines, other: keyof typeof engines): Harness => ({
    abilities: restless,
    async open(clock) {
      const idKey = randomBytes(16)
      const [a, b] = [await engines[one](clock, idKey), await engines[other](clock, idKey)]
      const pools = [
        { name: 'a', engine: a.engine },
        { name: 'b', engine: b.engine },
      ]
      return {
        storage: createRestless(pools, new Catalogue(7_654_321), clock, restless),
        async drop() {
          await a.drop()
          await b.drop()
        },
      }
    },
  })

  const options = { sequences: 50 }
  runConformance('between SQLite and PostgreSQL', between('SQLite', 'PostgreSQL'), options)
  runConformance('between PostgreSQL servers', between('PostgreSQL', 'PostgreSQL'), options)
}
