import { after, before, test } from 'node:test'
import { type Harness, runConformance } from 'zaqar-conformance'
import { abilities, openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { tries } from '../support/tries.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from './postgres-server.ts'

let server: PostgresServer

/** One schema for each store, which is left behind when a test on it failed. */
const postgresHarness: Harness = {
  abilities,
  async open(clock) {
    const { uri } = server
    const schema = newSchema()
    const open = () => openPostgres({ uri, schema, connections: 1, clock })
    return {
      storage: await open(),
      reopen: open,
      openSecondClient: open,
      drop: async () => void (await administer(uri, `DROP SCHEMA "${schema}" CASCADE`)),
    }
  },
  // One for each connection: a write without metadata, a read of rows that are not counted in numbers.
  failNeighbour: async ({ queues }, clock) => {
    const now = clock.now()
    const key = { project: 'alpha', kind: 'queue', name: 'failing' } as const
    const page = {
      ...key,
      after: null,
      limit: 'many' as never,
      nameContains: null,
      metadata: [],
      withMetadata: false,
    }
    const write = queues.create({ key, metadata: null as never, now })
    await Promise.all([write, queues.list({ ...page, now })])
  },
}

const missing = await missingPostgres()
if (missing === null) {
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())
  // Each step is a round trip or several, so fewer sequences than on an engine in the process.
  runConformance('postgres', postgresHarness, { sequences: tries(30, 200) })
} else {
  test('storage contract: postgres', { skip: missing }, () => undefined)
}
