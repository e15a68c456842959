import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  administer,
  missingPostgres,
  openSession,
  type PostgresServer,
  type Session,
  startOwnPostgres,
} from '../../packages/server/test/storage/postgres-server.ts'
import { type TestAnswer, TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { expectRefusal, untilServed } from './under-load.ts'

const MOST_CONNECTIONS = 20
/** All writes go over one connection, so that those that arrive together share a transaction. */
const CONFIG = '[storage]\nconnections = 1\n'

describe('what PostgreSQL refuses', { skip: (await missingPostgres({ isOwn: true })) ?? false }, () => {
  let server: PostgresServer
  let service: Service
  let client: TestClient
  let close: () => void
  const sessions: Session[] = []

  before(async () => {
    server = await startOwnPostgres({
      settings: { max_connections: String(MOST_CONNECTIONS), superuser_reserved_connections: '1' },
    })
    // No more rights than a service needs.
    await administer(server.uri, 'CREATE ROLE zaqar LOGIN')
    await administer(server.uri, 'CREATE DATABASE zaqar OWNER zaqar')
    service = await startService({ config: CONFIG, args: ['--storage', databaseAs('zaqar')] })
    const send = sendOverHttp(service.url)
    close = send.close
    client = new TestClient(send)
  })
  after(async () => {
    close()
    await service.kill()
    await Promise.all(sessions.map((session) => session.end()))
    await server.stop()
  })

  const databaseAs = (user: string) => `postgres://${user}@127.0.0.1:${server.port}/zaqar`

  /** Somebody else's session on the same database. */
  async function connect(user = 'postgres'): Promise<Session> {
    const session = await openSession(databaseAs(user))
    sessions.push(session)
    return session
  }

  async function hold(session: Session, queue: string): Promise<void> {
    await session.query('SELECT FROM zaqar.queue WHERE name = $1 FOR UPDATE', [queue])
  }

  /** Resolves when somebody waits for what the session holds. */
  async function untilBlocked(session: Session): Promise<void> {
    const blocked = 'SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))'
    await until(async () => (await session.query(blocked)).rows.length > 0)
  }

  const post = (queue: string, body: unknown = 'x') =>
    client.post(`/v2/queues/${queue}/messages`, { messages: [{ body }] })

  async function bodiesIn(queue: string): Promise<unknown[]> {
    const { messages } = JSON.parse((await client.get(`/v2/queues/${queue}/messages?echo=true`)).text)
    return messages.map(({ body }: { body: unknown }) => body)
  }

  /** How long a move waits for its queue, so that the test need not. */
  async function waitForLocks(session: Session, time: string): Promise<void> {
    const found = await session.query(
      "SELECT oid::regprocedure AS move FROM pg_proc WHERE array_to_string(proconfig, ',') LIKE '%lock_timeout%'",
    )
    for (const { move } of found.rows) await session.query(`ALTER FUNCTION ${move} SET lock_timeout = '${time}'`)
  }

  /** What PostgreSQL answers to the next `times` attempts to store messages. */
  async function fail(times: number, sqlState: string): Promise<void> {
    for (const statement of [
      'CREATE SEQUENCE zaqar.trouble',
      `CREATE FUNCTION zaqar.trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('zaqar.trouble') <= ${times} THEN RAISE 'on purpose' USING ERRCODE = '${sqlState}'; END IF;
         RETURN NULL;
       END $$`,
      'CREATE TRIGGER trouble AFTER INSERT ON zaqar.message EXECUTE FUNCTION zaqar.trouble()',
    ]) {
      await administer(databaseAs('zaqar'), statement)
    }
  }

  async function mend(): Promise<void> {
    await administer(databaseAs('zaqar'), 'DROP FUNCTION zaqar.trouble() CASCADE')
    await administer(databaseAs('zaqar'), 'DROP SEQUENCE zaqar.trouble')
  }

  test('for a deadlock with somebody else is done again, once for each message', async () => {
    for (const queue of ['a', 'b', 'c']) await client.put(`/v2/queues/${queue}`)
    const [first, second] = [await connect(), await connect()]
    for (const session of [first, second]) await session.query("SET deadlock_timeout = '1h'; BEGIN")
    await hold(first, 'c')
    await hold(second, 'b')
    const posts = [post('c')]
    await untilBlocked(first)
    // These wait for the connection, and then share a transaction, which gets a and waits for b.
    posts.push(post('a'), post('b'))
    // What came before this has arrived.
    await client.get('/')
    await first.query('ROLLBACK')
    await untilBlocked(second)
    const held = hold(second, 'a')
    await held
    await second.query('COMMIT')
    for (const answer of await Promise.all(posts)) assert.equal(answer.status, 201, answer.text)
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(bodiesIn)), [['x'], ['x'], ['x']])
    const counted = "SELECT deadlocks::integer FROM pg_stat_database WHERE datname = 'zaqar'"
    assert.deepEqual(await administer(server.uri, counted), [{ deadlocks: 1 }])
  })

  test('for want of serialisability is done again, once for each message', async () => {
    await fail(3, '40001')
    const answers = await Promise.all(['d', 'e', 'd'].map((queue) => post(queue)))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 201],
    )
    assert.deepEqual(await Promise.all(['d', 'e'].map(bodiesIn)), [['x', 'x'], ['x']])
    await mend()
  })

  test('for want of space on its disk is refused, and stores nothing', async () => {
    await fail(1, '53100')
    expectRefusal(await post('f', 'refused'))
    assert.equal((await post('f', 'stored')).status, 201)
    assert.deepEqual(await bodiesIn('f'), ['stored'])
    await mend()
  })

  test('while somebody holds a queue is refused in time, and other queues are served', async () => {
    for (const queue of ['held', 'free']) await client.put(`/v2/queues/${queue}`)
    const session = await connect()
    await waitForLocks(session, '500ms')
    await session.query('BEGIN')
    await hold(session, 'held')
    const startedAt = performance.now()
    const refused = post('held')
    await untilBlocked(session)
    const neighbours = [post('held'), post('free'), post('held')]
    expectRefusal(await refused)
    const [second, free, third] = await Promise.all(neighbours)
    assert.equal(free?.status, 201)
    for (const answer of [second, third]) if (answer) expectRefusal(answer)
    assert.ok(performance.now() - startedAt < 5_000)
    await session.query('ROLLBACK')
    await waitForLocks(session, '5s')
    assert.equal((await post('held', 'later')).status, 201)
    assert.deepEqual(await bodiesIn('held'), ['later'])
  })

  test('when all its connections are taken is refused, and served when there is room', async () => {
    const own = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'zaqar'"
    const admin = await connect()
    const takers: Session[] = []
    const take = async () => {
      for (;;) takers.push(await connect('zaqar'))
    }
    await assert.rejects(take(), { code: '53300' })
    // The service loses its own to others who are quicker.
    await admin.query(own.replace(/$/, " AND application_name LIKE 'zaqar/%'"))
    await assert.rejects(take(), { code: '53300' })
    expectRefusal(await post('g', 'refused'))
    assert.equal((await client.get('/v2/ping')).status, 503)
    await Promise.all(takers.map((session) => session.end()))
    await untilServed(client)
    assert.equal((await post('g', 'stored')).status, 201)
    assert.deepEqual(await bodiesIn('g'), ['stored'])
  })

  test('a commit that no standby has confirmed, although one must, is not reported as success', async () => {
    for (const queue of ['early', 'h']) await client.put(`/v2/queues/${queue}`)
    const admin = await connect()
    await admin.query("ALTER SYSTEM SET synchronous_standby_names = 'absent'")
    await admin.query('SELECT pg_reload_conf()')
    // Somebody loses patience with the sessions that wait; PostgreSQL then reports their commits as done.
    const cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    const postUnconfirmed = async (queue: string): Promise<TestAnswer> => {
      let isAnswered = false
      const posted = post(queue, 'unconfirmed').finally(() => {
        isAnswered = true
      })
      await until(async () => {
        await admin.query(cancel)
        return isAnswered
      })
      return posted
    }
    // Nothing says when all of PostgreSQL has taken notice.
    await until(async () => (await postUnconfirmed('early')).status !== 201)
    expectRefusal(await postUnconfirmed('h'))
    await admin.query('ALTER SYSTEM RESET synchronous_standby_names')
    await admin.query('SELECT pg_reload_conf()')
    await untilServed(client)
    assert.deepEqual(await bodiesIn('h'), ['unconfirmed'])
  })
})
