import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { GONE_MS, type Queue, type Storage } from '../../src/storage/contract.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { until } from '../support/until.ts'
import {
  administer,
  missingPostgres,
  newSchema,
  openSession,
  type PostgresServer,
  startPostgres,
} from './postgres-server.ts'

const key = { project: 'p', kind: 'queue', name: 'jobs' } as const
const message = { body: '"m"', ttlSeconds: 3600, delaySeconds: 0 }

describe('what is kept of removed messages on PostgreSQL', {
  skip: (await missingPostgres({ isOwn: true })) ?? false,
}, () => {
  let server: PostgresServer
  let schema: string
  let clock: ManualClock
  /** The node whose clients follow, and the one whose clients post and take. */
  let here: Storage
  let there: Storage
  let queue: Queue

  before(async () => {
    server = await startPostgres({ isOwn: true })
  })
  after(() => server.stop())
  beforeEach(async () => {
    schema = newSchema()
    clock = new ManualClock()
    const open = () => openPostgres({ uri: server.uri, schema, connections: 1, clock })
    here = await open()
    there = await open()
    queue = (await there.queues.create({ key, metadata: '{}', now: clock.now() })).queue
  })
  afterEach(async () => {
    await here.close()
    await there.close()
    await administer(server.uri, `DROP SCHEMA "${schema}" CASCADE`)
  })

  const ask = async (what: string) => (await administer(server.uri, `SELECT (SELECT ${what}) AS it`))[0]?.['it']
  const isMarked = () => ask(`is_kept FROM "${schema}".queue`)
  const kept = () => ask(`count(*)::integer FROM "${schema}".gone`)
  /** Seconds from now. */
  const setKeeperEnd = (seconds: number) =>
    administer(
      server.uri,
      `UPDATE "${schema}".keeper SET until = extract(epoch FROM now() + interval '${seconds} s') * 1000`,
    )

  /** Both moves in one transaction. */
  const postAndPop = () => {
    const terms = { queue, now: clock.now() }
    return Promise.all([
      there.messages.append({ ...terms, clientId: 'c', messages: [message] }),
      there.messages.pop({ ...terms, limit: 10, deadLetter: null }),
    ])
  }
  async function listed(): Promise<string[]> {
    const terms = { hideClientId: null, includeClaimed: true, includeDelayed: false, includeGone: true }
    const page = await here.messages.list({ queue, after: null, limit: 10, ...terms, now: clock.now() })
    assert(typeof page === 'object')
    return page.messages.map(({ body }) => body)
  }

  test('a follower is told of what another node posts and takes away in one transaction', async () => {
    await here.keepGone(key)
    const news = new EventEmitter()
    const listening = once(news, 'heard')
    const unwatch = here.watch(key, () => news.emit('heard'))
    await listening
    const heard = once(news, 'heard')
    const [, popped] = await postAndPop()
    assert(Array.isArray(popped) && popped.length === 1)
    await heard
    assert.deepEqual(await listed(), ['"m"'])
    const transactions = `SELECT xmin FROM "${schema}".gone UNION SELECT xmin FROM "${schema}".standing`
    assert.equal(await ask(`count(*)::integer FROM (${transactions}) x`), 1)
    unwatch()
  })

  test('a queue is kept when those have committed who began before', async () => {
    await postAndPop()
    const writer = await openSession(server.uri)
    await writer.query('BEGIN')
    await writer.query(`SELECT FROM "${schema}".queue FOR NO KEY UPDATE`)
    let isKept = false
    const keeping = here.keepGone(key).then(() => {
      isKept = true
    })
    try {
      await until(async () => (await ask("count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")) === '1')
      assert.equal(isKept, false)
    } finally {
      await writer.end()
    }
    await keeping
    await postAndPop()
    assert.deepEqual(await listed(), ['"m"'])
  })

  test('nothing is kept, and nothing marked, once nobody has kept the queue for a while', async () => {
    const end = await here.keepGone(key)
    end()
    await setKeeperEnd(0)
    await postAndPop()
    assert.equal(await kept(), 0)
    assert.equal(await isMarked(), false)
  })

  test('a node prolongs what it keeps', async () => {
    await here.keepGone(key)
    await setKeeperEnd(300)
    clock.advance(200_000)
    await until(async () =>
      Boolean(await ask(`until > extract(epoch FROM now()) * 1000 + 500000 FROM "${schema}".keeper`)),
    )
  })

  test('a node that was away for long keeps its queues again', async () => {
    await here.keepGone(key)
    await setKeeperEnd(0)
    await postAndPop()
    assert.equal(await isMarked(), false)
    clock.advance(200_000)
    await until(async () => (await isMarked()) === true)
    await postAndPop()
    assert.deepEqual(await listed(), ['"m"'])
  })

  test('copies and keepers are swept when their time is over', async () => {
    const end = await here.keepGone(key)
    await postAndPop()
    end()
    await there.queues.delete({ queue, now: clock.now() })
    await setKeeperEnd(0)
    const rows = () =>
      ask(`(SELECT count(*) FROM "${schema}".gone) || ' ' || (SELECT count(*) FROM "${schema}".keeper)`)
    assert.equal(await rows(), '1 1')
    clock.advance(2 * GONE_MS)
    await until(async () => (await rows()) === '0 0')
  })

  test('what was kept is there after the server was killed, and the queue is still kept', async () => {
    await here.keepGone(key)
    await postAndPop()
    clock.advance(GONE_MS - 1)
    await server.control?.kill()
    await until(() =>
      there.ping().then(
        () => true,
        () => false,
      ),
    )
    await until(() =>
      here.ping().then(
        () => true,
        () => false,
      ),
    )
    assert.deepEqual(await listed(), ['"m"'])
    await postAndPop()
    assert.deepEqual(await listed(), ['"m"', '"m"'])
  })
})
