import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { createSystemClock } from '../../src/platform/system-clock.ts'
import { STALE, type Storage } from '../../src/storage/contract.ts'
import { Lanes } from '../../src/storage/postgres/lanes.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { ServerClock } from '../../src/storage/postgres/server-clock.ts'
import { unwatchedEngine } from '../support/unwatched.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from './postgres-server.ts'

const key = { project: 'p', kind: 'queue', name: 'jobs' } as const

describe('moves of several nodes on one server', { skip: (await missingPostgres()) ?? false }, () => {
  let server: PostgresServer
  const clock = createSystemClock()
  const schema = newSchema()
  before(async () => {
    server = await startPostgres()
    await (await openPostgres({ uri: server.uri, schema, connections: 1, clock })).close()
  })
  after(async () => {
    await administer(server.uri, `DROP SCHEMA "${schema}" CASCADE`)
    await server.stop()
  })

  test('one that fails does not undo those that share its transaction', async () => {
    const lanes = new Lanes({ uri: server.uri, schema, connections: 1, isPooled: false, figures: unwatchedEngine() })
    const created = lanes.write<{ created: boolean }>('create_queue', key, { metadata: '{}', now: clock.now() })
    const failed = assert.rejects(lanes.write('no_such_move', key, {}))
    const counted = lanes.write<{ version: number }>('get_queue', key, {})
    assert.equal((await created).created, true)
    await failed
    assert.equal(typeof (await counted).version, 'number')
    await lanes.close()
  })

  test('moves that arrive together share one transaction', async () => {
    const lanes = new Lanes({ uri: server.uri, schema, connections: 1, isPooled: false, figures: unwatchedEngine() })
    await lanes.write('create_queue', key, { metadata: '{}', now: clock.now() })
    const { version } = await lanes.write<{ version: number }>('get_queue', key, {})
    const append = () =>
      lanes.visit<{ first: number }>('append', key, {
        version,
        client: 'c',
        messages: [['"m"', 60, 0]],
        bytes: 3,
        now: clock.now(),
      })
    await Promise.all(Array.from({ length: 20 }, append))
    const [row] = await administer(
      server.uri,
      `SELECT count(DISTINCT xmin::text)::integer AS transactions FROM "${schema}".message`,
    )
    assert.deepEqual(row, { transactions: 1 })
    await lanes.close()
  })

  test('messages move to a queue that somebody else has locked as soon as it is free', async () => {
    const storage = await openPostgres({ uri: server.uri, schema, connections: 1, clock })
    const create = (name: string) =>
      storage.queues.create({ key: { ...key, name }, metadata: '{}', now: clock.now() }).then(({ queue }) => queue)
    const queue = await create('origin')
    const dead = await create('dead')
    const message = { body: '1', ttlSeconds: 60, delaySeconds: 0 }
    await storage.messages.append({ queue, clientId: 'c', messages: [message], now: clock.now() })

    const somebody = new pg.Client({ connectionString: server.uri })
    await somebody.connect()
    await somebody.query('BEGIN')
    await somebody.query(`SELECT FROM "${schema}".queue WHERE name = 'dead' FOR NO KEY UPDATE`)
    const deadLetter = { queue: 'dead', maxClaimCount: 0, ttlSeconds: null }
    const popped = storage.messages.pop({ queue, limit: 1, deadLetter, now: clock.now() })
    await somebody.query('SELECT pg_sleep(0.05)')
    await somebody.query('COMMIT')
    assert.deepEqual(await popped, [])
    const stats = await storage.queues.stats({ queue: dead, now: clock.now() })
    assert(stats !== STALE)
    assert.equal(stats.free, 1)
    await somebody.end()
    await storage.close()
  })

  test("two stores with one key are good for each other's ids and markers", async () => {
    const idKey = randomBytes(16)
    const elsewhere = newSchema()
    const open = (where: string) => openPostgres({ uri: server.uri, schema: where, connections: 1, clock, idKey })
    const [from, to] = [await open(schema), await open(elsewhere)]
    const create = async (storage: Storage) =>
      (await storage.queues.create({ key: { ...key, name: 'moving' }, metadata: '{}', now: clock.now() })).queue
    const [source, target] = [await create(from), await create(to)]
    const messages = ['1', '2', '3'].map((body) => ({ body, ttlSeconds: 60, delaySeconds: 0 }))
    const posted = await from.messages.append({ queue: source, clientId: 'c', messages, now: clock.now() })
    assert(typeof posted === 'object')
    const whole = await from.messages.export({ queue: source, after: null, limit: 10, now: clock.now() })
    assert(typeof whole === 'object')
    await to.messages.import({ queue: target, messages: whole.messages, end: whole.end, now: clock.now() })
    const there = await to.messages.get({ queue: target, ids: posted.ids, now: clock.now() })
    assert(typeof there === 'object')
    assert.deepEqual(
      there.map(({ id, body }) => ({ id, body })),
      posted.ids.map((id, i) => ({ id, body: `${i + 1}` })),
    )
    const flags = { hideClientId: null, includeClaimed: false, includeDelayed: false }
    const [first] = whole.messages
    const after = first?.marker ?? null
    const rest = await to.messages.list({ queue: target, after, limit: 10, ...flags, now: clock.now() })
    assert(typeof rest === 'object')
    assert.deepEqual(
      rest.messages.map(({ body }) => body),
      ['2', '3'],
    )
    assert.deepEqual(to.idKey, idKey)
    await Promise.all([from.close(), to.close()])
    await administer(server.uri, `DROP SCHEMA "${elsewhere}" CASCADE`)
  })

  test('of many watched queues the one with news is told, no other', async () => {
    const storage = await openPostgres({ uri: server.uri, schema, connections: 1, clock })
    const { queue } = await storage.queues.create({ key: { ...key, name: 'w7' }, metadata: '{}', now: clock.now() })
    let heard: string[] = []
    let wake = () => {}
    const hears = (isEnough: () => boolean) =>
      new Promise<void>((resolve) => {
        wake = () => isEnough() && resolve()
        wake()
      })
    // More than there are slots, so each shares its slot with others.
    const names = Array.from({ length: 600 }, (_, i) => `w${i}`)
    for (const name of names) {
      storage.watch({ ...key, name }, () => {
        heard.push(name)
        wake()
      })
    }
    // Each is told once when it is listened to, since news may have been missed before.
    await hears(() => new Set(heard).size === names.length)
    heard = []
    const message = { body: '1', ttlSeconds: 60, delaySeconds: 0 }
    await storage.messages.append({ queue, clientId: 'c', messages: [message], now: clock.now() })
    await hears(() => heard.length > 0)
    assert.deepEqual(heard, ['w7'])
    await storage.close()
  })

  test('nodes whose clocks are seconds apart read the same time', async () => {
    const wrongBy = (milliseconds: number) => ({
      now: () => clock.now() + milliseconds,
      at: (at: number, callback: () => void) => clock.at(at - milliseconds, callback),
    })
    const clocks = await Promise.all(
      [-2000, 0, 2000].map((ms) => ServerClock.open({ uri: server.uri, local: wrongBy(ms) })),
    )
    const [early, right, late] = clocks.map((one) => one.now()) as [number, number, number]
    for (const one of clocks) one.close()
    assert(Math.abs(early - right) < 200 && Math.abs(late - right) < 200, `${early}, ${right}, ${late}`)
    // Timers too.
    const fired = await new Promise<number>((resolve) => {
      const one = clocks[0] as ServerClock
      one.at(right + 50, () => resolve(one.now()))
    })
    assert(fired >= right + 50 && fired < right + 1000)
  })
})
