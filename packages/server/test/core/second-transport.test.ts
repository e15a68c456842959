import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ManualClock } from 'zaqar-conformance'
import { createAuthentication } from '../../src/auth/authenticate.ts'
import { createTokenAuthentication } from '../../src/auth/keystone/authenticate-by-token.ts'
import { RareTroubles } from '../../src/auth/keystone/rare-troubles.ts'
import { readToken, type Token } from '../../src/auth/keystone/token-document.ts'
import { TokenVerifier } from '../../src/auth/keystone/token-verifier.ts'
import { trustAssertions } from '../../src/auth/trust-assertions.ts'
import { createExecute } from '../../src/core/execute.ts'
import type { Shown } from '../../src/core/identity.ts'
import { MessageTally } from '../../src/core/message-tally.ts'
import { QueueDirectory } from '../../src/core/queue-directory.ts'
import { formatIsoTime } from '../../src/core/rules/iso-time.ts'
import { createUrlSigner } from '../../src/core/rules/signature.ts'
import { SocketTally } from '../../src/core/socket-tally.ts'
import { openWaiting, type Waiting } from '../../src/core/waiting.ts'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { systemIds } from '../../src/platform/system-ids.ts'
import type { Storage } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { load } from '../config/memory.ts'
import { actions, type LineTransport, listenForLines } from '../support/line-transport.ts'
import { waits } from '../support/settled.ts'

const START = Date.UTC(2026, 2, 1, 10)
const MINUTE = 60_000

/** What Keystone says of the tokens that it knows: they live for a minute, and are of the project `p1`. */
function tokenOf(id: string): Token | null {
  const access_rules = [
    { service: 'messaging', method: 'POST', path: '/v2/queues/orders/messages' },
    { service: 'compute', method: 'GET', path: '/v2/**' },
  ]
  const restriction = id === 'restricted' ? { application_credential: { access_rules } } : {}
  const expires_at = new Date(START + MINUTE).toISOString()
  const token = { expires_at, user: { id }, project: { id: 'p1' }, ...restriction }
  return readToken(JSON.stringify({ token }), 'messaging')
}

const keystone = {
  issue: async () => ({ id: 'own', token: tokenOf('zaqar') as Token }),
  validate: async (id: string) => (id === 'junk' ? 'invalid' : (tokenOf(id) as Token)) as Token | 'invalid',
  close: async () => {},
}

const signer = createUrlSigner(['k'])

/** Shown by the holder of a signed URL, which is good for a minute. */
function signed(methods: readonly string[], paths: readonly string[], project = 'p1'): Shown {
  const terms = { methods, paths, project, expires: formatIsoTime(START + MINUTE) }
  return { signed: { ...terms, signature: signer.sign(terms) as string } }
}

const asserted = (project: string): Shown => ({ asserted: { project, roles: [], userId: null } })

describe('a transport that authenticates a connection once', { timeout: 60_000 }, () => {
  let clock: ManualClock
  let storage: Storage
  let waiting: Waiting
  let transport: LineTransport
  /** Tells of each call that begins to wait on behalf of credentials that end. */
  const calls = new EventEmitter()
  /** Timers that stand on behalf of calls. */
  let timers = 0
  const clients: { close(): void }[] = []

  beforeEach(async () => {
    clock = new ManualClock(START)
    storage = await openSqlite({ path: ':memory:', clock })
    const limits = {
      ...load({}).config.limits,
      deleteNeedsClaimIds: false,
      canEncryptMessages: false,
      hasPools: false,
      requiresConfirmation: false,
    }
    const queues = new QueueDirectory(storage.queues, null, limits)
    const tally = new MessageTally(clock.now())
    waiting = openWaiting({
      storage,
      queues,
      clock,
      budget: new MemoryBudget({ bytes: 1024 * 1024, clock }),
      ids: systemIds,
      tally,
      requiresConfirmation: false,
      maxSubscriptions: Number.POSITIVE_INFINITY,
      onTrouble: assert.ifError,
    })
    const byToken = createTokenAuthentication(
      new TokenVerifier({ api: keystone, clock, cacheSeconds: 300 }),
      { serviceRoles: [], serviceRolesRequired: false },
      new RareTroubles(clock),
    )
    const authenticate = createAuthentication({
      unsigned: (shown, asker) => (shown.token === undefined ? trustAssertions : byToken)(shown, asker),
      signer,
      clock,
    })
    const execute = createExecute({
      storage,
      tally,
      clock: {
        now: () => clock.now(),
        at(instant, callback) {
          calls.emit('begun')
          timers++
          const timer = clock.at(instant, callback)
          const cancel = () => {
            timers--
            timer.cancel()
          }
          return { cancel }
        },
      },
      queues,
      limits,
      ids: systemIds,
      ...waiting,
      sockets: new SocketTally(),
      process: { version: '0.1.0', host: 'node1', pid: 7, startedAt: clock.now() },
      probeStore: async () => false,
      poolEngines: null,
      urlSigner: signer,
      rates: null,
      quotas: null,
      trusts: null,
      authorise: () => true,
      onTrouble: assert.ifError,
    })
    transport = await listenForLines(authenticate, execute)
  })
  afterEach(async () => {
    assert.equal(timers, 0)
    for (const client of clients.splice(0)) client.close()
    waiting.longPolls.close()
    await transport.close()
    await storage.close()
  })

  /** A client that has shown who it is. */
  async function connectAs(shown: Shown) {
    const socket = connect(transport.port, '127.0.0.1')
    await once(socket, 'connect')
    clients.push({ close: () => socket.destroy() })
    const answers = createInterface({ input: socket })[Symbol.asyncIterator]()
    const say = async (line: string): Promise<{ done?: unknown; error?: string }> => {
      socket.write(`${line}\n`)
      const { value = '{"error": "the connection is closed"}' } = await answers.next()
      return JSON.parse(value)
    }
    return { greeting: await say(JSON.stringify(shown)), say }
  }

  /** One line of each action on the queue. */
  const linesFor = (queue: string) => Object.keys(actions).map((name) => `${name} ${queue} 1`)

  test('creates queues, posts, lists, claims and deletes in the project of the caller', async () => {
    const { greeting, say } = await connectAs(asserted('p1'))
    assert.deepEqual(greeting, {})
    assert.deepEqual(await say('create orders'), { done: { created: true } })
    const { ids } = (await say('post orders 1')).done as { ids: string[] }
    assert.deepEqual(await say('list orders'), { done: ['1'] })
    assert.deepEqual(await say(`delete orders ${ids[0]}`), {})
    await say('post orders 2')
    assert.deepEqual(await say('claim orders'), { done: ['2'] })
    const stranger = await connectAs(asserted('p2'))
    await say('post orders 3')
    assert.deepEqual(await stranger.say('list orders'), { done: [] })
  })

  test('does for the holder of a signed URL what was signed, and nothing else', async () => {
    const owner = await connectAs(asserted('p1'))
    await owner.say('post salaries "secret"')
    const { greeting, say } = await connectAs(signed(['GET', 'POST'], ['/v2/queues/orders/messages']))
    assert.deepEqual(greeting, {})
    assert.ok('done' in (await say('post orders 1')))
    assert.deepEqual(await say('list orders'), { done: ['1'] })
    for (const line of [
      ...['create', 'claim', 'delete'].map((name) => `${name} orders 1`),
      ...['salaries', 'orders2', 'ORDERS'].flatMap(linesFor),
    ]) {
      assert.deepEqual(await say(line), { error: 'signature.not_accepted' }, line)
    }
    // A name that is none could make a path look as if it lay below another.
    for (const name of Object.keys(actions)) {
      const isCovered = ['post', 'list', 'claim'].includes(name)
      const error = isCovered ? 'queue.malformed_name' : 'signature.not_accepted'
      assert.deepEqual(await say(`${name} orders/messages/../../salaries 1`), { error }, name)
    }
    assert.deepEqual(await owner.say('list salaries'), { done: ['"secret"'] })
    assert.deepEqual(await owner.say('list orders'), { done: ['1'] })
  })

  test('does nothing for names that no queue can have, nor for a project that can have no queue', async () => {
    const { say } = await connectAs(asserted('p1'))
    for (const queue of ['', 'a/b', '..%2Fb', 'x'.repeat(65), 'orders\u0000', 'ördnung', '*']) {
      for (const line of linesFor(queue)) assert.deepEqual(await say(line), { error: 'queue.malformed_name' }, line)
    }
    const stranger = await connectAs(asserted('p'.repeat(257)))
    for (const line of linesFor('orders')) {
      assert.deepEqual(await stranger.say(line), { error: 'queue.malformed_name' }, line)
    }
  })

  test('lets no signed URL into another project than the signed one', async () => {
    const { signed: mine } = signed(['GET'], ['/v2/queues/orders/messages'])
    const forged = { signed: mine && { ...mine, project: 'p2' } }
    assert.deepEqual((await connectAs(forged)).greeting, { error: 'signature.not_accepted' })
    const victim = await connectAs(asserted('p2'))
    await victim.say('post orders "secret"')
    const holder = await connectAs({ ...signed(['GET'], ['/v2/queues/orders/messages']), ...asserted('p2') })
    assert.deepEqual(await holder.say('list orders'), { done: [] })
  })

  test('does for a restricted application credential what its rules for this service admit', async () => {
    const { say } = await connectAs({ token: 'restricted' })
    assert.ok('done' in (await say('post orders 1')))
    for (const line of [...linesFor('orders').filter((one) => !one.startsWith('post')), ...linesFor('salaries')]) {
      assert.deepEqual(await say(line), { error: 'token.not_accepted' }, line)
    }
  })

  for (const [whose, shown, error] of [
    ['a token', { token: 'whole' }, 'token.not_accepted'],
    ['a signed URL', signed(['GET', 'POST', 'PUT', 'DELETE'], ['/v2/queues/orders']), 'signature.not_accepted'],
  ] as const) {
    test(`does nothing any more from the instant on at which ${whose} ends`, async () => {
      const { say } = await connectAs(shown)
      clock.advance(MINUTE - 1)
      for (const line of linesFor('orders')) assert.ok(!('error' in (await say(line))), line)
      clock.advance(1)
      for (const line of linesFor('orders')) assert.deepEqual(await say(line), { error }, line)
      assert.deepEqual((await connectAs(shown)).greeting, { error })
    })

    test(`waits no longer than to the end of ${whose}, and takes nothing then`, async () => {
      const owner = await connectAs(asserted('p1'))
      const [claiming, listing] = [await connectAs(shown), await connectAs(shown)]
      clock.advance(MINUTE - 5000)
      const begun = once(calls, 'begun')
      const claim = claiming.say('claim orders 20')
      await begun
      const bothBegun = once(calls, 'begun')
      const answers = [claim, listing.say('list orders 20')]
      await bothBegun
      clock.advance(4999)
      assert.ok(await waits(Promise.race(answers)))
      clock.advance(1)
      assert.deepEqual(await Promise.all(answers), [{ done: null }, { done: [] }])
      await owner.say('post orders 1')
      assert.deepEqual(await owner.say('claim orders'), { done: ['1'] })
    })
  }

  test('leaves nothing behind of a wait that has ended before the credentials do', async () => {
    const { say } = await connectAs({ token: 'whole' })
    const begun = once(calls, 'begun')
    const answer = say('claim orders 20')
    await begun
    assert.equal(timers, 1)
    await (await connectAs(asserted('p1'))).say('post orders 1')
    assert.deepEqual(await answer, { done: ['1'] })
    assert.equal(timers, 0)
  })

  test('takes as long as it likes for what does not end', async () => {
    const { say } = await connectAs(asserted('p1'))
    clock.advance(1000 * MINUTE)
    assert.ok('done' in (await say('post orders 1')))
  })
})

test('nothing that a transport of another kind needs leads to HTTP', () => {
  const start = fileURLToPath(new URL('../support/line-transport.ts', import.meta.url))
  const reached = new Set<string>()
  const follow = (path: string): void => {
    if (reached.has(path)) return
    reached.add(path)
    for (const [, specifier = ''] of readFileSync(path, 'utf8').matchAll(/ from '([^']+)'/g)) {
      if (specifier.startsWith('.')) follow(fileURLToPath(new URL(specifier, `file://${path}`)))
      else assert.doesNotMatch(specifier, /http/, path)
    }
  }
  follow(start)
  assert.ok(reached.size > 10)
  assert.deepEqual(
    [...reached].filter((path) => /\/src\/(http|wire)\//.test(path)),
    [],
  )
})
