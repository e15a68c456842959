import { after, before, test } from 'node:test'
import { runConformance } from 'zaqar-conformance'
import { abilities, openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { abilities as ofSqlite, openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { type OpenPart, pooledHarness } from './pooled-stores.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from './postgres-server.ts'

let server: PostgresServer

/** Each schema plays a server. They are left behind when a test on them failed. */
const onPostgres = pooledHarness(abilities, async (clock) => {
  const { uri } = server
  const schemas = [newSchema(), newSchema(), newSchema()]
  const [own, a, b] = schemas.map(
    (schema): OpenPart =>
      (idKey) =>
        openPostgres({ uri, schema, connections: 1, clock, idKey }),
  ) as [OpenPart, OpenPart, OpenPart]
  return { own, pools: [a, b], drop: () => dropAll(schemas) }
})

/** A file cannot be shared, so this is one process; and in memory, so it ends with it. */
const onBoth = pooledHarness({ ...ofSqlite, survivesReopen: false }, async (clock) => {
  const schema = newSchema()
  const sqlite: OpenPart = (idKey) => openSqlite({ path: ':memory:', clock, ...(idKey && { idKey }) })
  const postgres: OpenPart = (idKey) => openPostgres({ uri: server.uri, schema, connections: 1, clock, idKey })
  return { own: sqlite, pools: [sqlite, postgres], drop: () => dropAll([schema]) }
})

async function dropAll(schemas: readonly string[]): Promise<void> {
  for (const schema of schemas) await administer(server.uri, `DROP SCHEMA "${schema}" CASCADE`)
}

const missing = await missingPostgres()
if (missing === null) {
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())
  // Each step is several round trips, and each case makes three schemas, which takes a quarter of an hour for all.
  const options = process.env['ZAQAR_TEST_POOLS'] === 'all' ? { sequences: 40 } : { sequences: 6, cases: false }
  runConformance('two pools on postgres', onPostgres, options)
  runConformance('a pool on sqlite, one on postgres', onBoth, options)
} else {
  test('storage contract: pools on postgres', { skip: missing }, () => undefined)
}
