import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Harness, ManualClock, type OpenedStore, runConformance } from 'zaqar-conformance'
import { STALE } from '../../src/storage/contract.ts'
import { abilities, openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { tries } from '../support/tries.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from './postgres-server.ts'

let server: PostgresServer

/** One schema for each store, which is left behind when a test on it failed. */
const postgresHarness: Harness = {
  abilities,
  open: (clock) => openSchema(clock),
  openPeer: ({ idKey }, clock) => openSchema(clock, idKey),
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

async function openSchema(clock: ManualClock, idKey?: Uint8Array): Promise<OpenedStore> {
  const { uri } = server
  const schema = newSchema()
  const open = () => openPostgres({ uri, schema, connections: 1, clock, idKey })
  return {
    storage: await open(),
    reopen: open,
    openSecondClient: open,
    drop: async () => void (await administer(uri, `DROP SCHEMA "${schema}" CASCADE`)),
  }
}

const missing = await missingPostgres()
if (missing === null) {
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())
  // Each step is a round trip or several, so fewer sequences than on an engine in the process.
  runConformance('postgres', postgresHarness, { sequences: tries(30, 200) })

  test('a listing of claims looks at no more than a thousand that hold nothing any more', async () => {
    const clock = new ManualClock()
    const now = clock.now()
    const { storage, drop } = await postgresHarness.open(clock)
    const key = { project: 'alpha', kind: 'queue', name: 'jobs' } as const
    const { queue } = await storage.queues.create({ key, metadata: '{}', now })
    const post = (count: number) => {
      const messages = Array.from({ length: count }, () => ({ body: '1', ttlSeconds: 60, delaySeconds: 0 }))
      return storage.messages.append({ queue, clientId: 'c', messages, now })
    }
    const claim = () =>
      storage.claims.create({ queue, limit: 1, ttlSeconds: 60, graceSeconds: 60, deadLetter: null, now })
    const posted = await post(1000)
    assert(posted !== STALE && posted !== 'conflict')
    await Promise.all(posted.ids.map(claim))
    await storage.messages.deleteMany({ queue, ids: posted.ids, claimIds: null, now })
    await post(1)
    const made = await claim()
    assert(made !== STALE && made !== null)

    const first = await storage.claims.list({ queue, after: null, limit: 10, now })
    assert(first !== STALE && first.claims.length === 0 && first.marker !== null)
    const second = await storage.claims.list({ queue, after: first.marker, limit: 10, now })
    assert(second !== STALE)
    assert.deepEqual([second.claims.map(({ id }) => id), second.marker], [[made.id], null])
    await storage.close()
    await drop()
  })
} else {
  test('storage contract: postgres', { skip: missing }, () => undefined)
}
