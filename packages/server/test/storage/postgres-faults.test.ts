import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSystemClock } from '../../src/platform/system-clock.ts'
import {
  type QueueHandle,
  STALE,
  type Storage,
  StorageUnavailable,
  StorageUnreached,
} from '../../src/storage/contract.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { until } from '../support/until.ts'
import { type NetworkProxy, startProxy } from './postgres-proxy.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from './postgres-server.ts'

const clock = createSystemClock()
const key = { project: 'p', kind: 'queue', name: 'jobs' } as const
const HOUR = 3600
const LONGEST_RECOVERY_MS = 10_000

/** What the workers were told, to be held against what is there in the end. */
interface History {
  /** Ids of acknowledged posts, by poster, in order. */
  readonly posted: string[][]
  /** Ids that acknowledged claims handed out. */
  readonly claimed: string[]
  readonly deleted: Set<string>
  /** Ids whose deletion was asked for and never answered. */
  readonly maybeDeleted: Set<string>
  refused: number
  /** Tells of what is `posted`, `deleted` and `refused`. */
  readonly news: EventEmitter
}

/** Posts, claims and deletes on several nodes until `isOver`. Nothing but `StorageUnavailable` may come back. */
async function work(
  nodes: readonly Storage[],
  queue: QueueHandle,
  history: History,
  isOver: () => boolean,
): Promise<void> {
  /** Null when the storage refused. */
  const attempt = async <Answer>(move: Promise<Answer>): Promise<Answer | null> => {
    try {
      return await move
    } catch (error) {
      assert(error instanceof StorageUnavailable, `not a refusal: ${error}`)
      history.refused += 1
      history.news.emit('refused')
      await sleep(10)
      return null
    }
  }
  const post = async (storage: Storage, ids: string[]) => {
    while (!isOver()) {
      const messages = [{ body: '"m"', ttlSeconds: HOUR, delaySeconds: 0 }]
      const answer = await attempt(storage.messages.append({ queue, clientId: 'c', messages, now: clock.now() }))
      if (answer === null || typeof answer === 'string') continue
      ids.push(...answer.ids)
      history.news.emit('posted')
    }
  }
  const consume = async (storage: Storage) => {
    while (!isOver()) {
      const terms = { limit: 3, ttlSeconds: HOUR, graceSeconds: 0, deadLetter: null }
      const claim = await attempt(storage.claims.create({ queue, ...terms, now: clock.now() }))
      if (claim === null || typeof claim === 'string') continue
      for (const { id } of claim.messages) {
        history.claimed.push(id)
        const deletion = storage.messages.delete({ queue, id, claimId: claim.id, now: clock.now() })
        const answer = await attempt(deletion)
        if (answer === 'deleted') {
          history.deleted.add(id)
          history.news.emit('deleted')
        } else if (answer === null) history.maybeDeleted.add(id)
        else assert.fail(`the deletion of a claimed message answered ${answer}`)
      }
    }
  }
  const workers = nodes.flatMap((storage) => {
    const ids: string[] = []
    history.posted.push(ids)
    return [post(storage, ids), consume(storage), consume(storage)]
  })
  await Promise.all(workers)
}

/** Nothing acknowledged is lost, nothing was held twice, the order is kept, the counts are right. */
async function check(storage: Storage, queue: QueueHandle, history: History): Promise<void> {
  const left: string[] = []
  for (let after: string | null = null; ; ) {
    const flags = { hideClientId: null, includeClaimed: true, includeDelayed: false }
    const page = await storage.messages.list({ queue, after, limit: 1000, ...flags, now: clock.now() })
    assert(typeof page === 'object')
    left.push(...page.messages.map((message) => message.id))
    if (page.marker === null) break
    after = page.marker
  }
  const place = new Map(left.map((id, i) => [id, i]))
  for (const ids of history.posted) {
    for (const id of ids) {
      const isThere = place.has(id)
      assert(isThere || history.deleted.has(id) || history.maybeDeleted.has(id), 'an acknowledged message is lost')
      assert(!(isThere && history.deleted.has(id)), 'a message is back after its deletion was acknowledged')
    }
    const places = ids.flatMap((id) => place.get(id) ?? [])
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
      'the order of posts is not kept',
    )
  }
  assert.equal(new Set(history.claimed).size, history.claimed.length, 'a message was in two live claims')
  const stats = await storage.queues.stats({ queue, now: clock.now() })
  assert(stats !== STALE)
  assert.equal(stats.free + stats.claimed, left.length, 'the counts are wrong')
}

/** The next news of that sort. */
function next(news: EventEmitter, name: string): Promise<unknown> {
  return once(news, name, { signal: AbortSignal.timeout(LONGEST_RECOVERY_MS) })
}

/** After trouble ended, the storage serves again by itself. */
async function recovered(storage: Storage): Promise<void> {
  const serves = async () => {
    try {
      await storage.ping()
      return true
    } catch (error) {
      assert(error instanceof StorageUnavailable, `not a refusal: ${error}`)
      return false
    }
  }
  await until(serves, 'did not recover within ten seconds', LONGEST_RECOVERY_MS)
}

const missing = await missingPostgres({ isOwn: true })

describe('postgres in trouble', { skip: missing ?? false }, () => {
  let server: PostgresServer
  let proxy: NetworkProxy
  let throughProxy: string
  before(async () => {
    server = await startPostgres({ isOwn: true })
    proxy = await startProxy(server.port)
    throughProxy = server.uri.replace(`:${server.port}/`, `:${proxy.port}/`)
  })
  after(async () => {
    await proxy.close()
    await server.stop()
  })

  /**
   * Two nodes at work while `trouble` happens; then the history is checked. Trouble can wait until there is work again
   * that is served, and until some is refused.
   */
  async function underLoad(
    uri: string,
    trouble: (isServed: () => Promise<unknown>, isRefused: () => Promise<unknown>) => Promise<void>,
  ): Promise<void> {
    const schema = newSchema()
    const open = () => openPostgres({ uri, schema, connections: 2, clock })
    const nodes = [await open(), await open()] as const
    try {
      const { queue } = await nodes[0].queues.create({ key, metadata: '{}', now: clock.now() })
      let isOver = false
      const news = new EventEmitter()
      const history: History = {
        posted: [],
        claimed: [],
        deleted: new Set(),
        maybeDeleted: new Set(),
        refused: 0,
        news,
      }
      const working = work(nodes, queue, history, () => isOver)
      await trouble(
        () => Promise.all([next(news, 'posted'), next(news, 'deleted')]),
        () => next(news, 'refused'),
      )
      for (const node of nodes) await recovered(node)
      isOver = true
      await working
      assert(history.deleted.size > 0 && history.refused > 0, 'the trouble met no work')
      await check(nodes[0], queue, history)
    } finally {
      for (const node of nodes) await node.close()
    }
  }

  test('connections that are cut at random lose nothing that was acknowledged', async () => {
    await underLoad(throughProxy, async (isServed) => {
      for (let i = 0; i < 20; i++) {
        await isServed()
        proxy.cutAll()
      }
    })
  })

  test('connections that are slow and half closed lose nothing that was acknowledged', async () => {
    await underLoad(throughProxy, async (isServed) => {
      for (let i = 0; i < 10; i++) {
        proxy.delay(i % 2 === 0 ? 20 : 0)
        await isServed()
        proxy.halfCloseAll()
      }
      proxy.delay(0)
    })
  })

  test('a server that is restarted loses nothing that was acknowledged', async () => {
    await underLoad(server.uri, async (isServed) => {
      await isServed()
      await server.control?.restart()
      await isServed()
    })
  })

  test('a server that is killed twenty times loses nothing that was acknowledged', { timeout: 120_000 }, async () => {
    await underLoad(server.uri, async (isServed) => {
      for (let i = 0; i < 20; i++) {
        await isServed()
        await server.control?.kill()
      }
      await isServed()
    })
  })

  test('a server that takes no writes refuses them, and serves again when it does', async () => {
    const setReadOnly = async (value: 'on' | 'off') => {
      await administer(server.uri, `ALTER SYSTEM SET default_transaction_read_only = ${value}`)
      await administer(server.uri, 'SELECT pg_reload_conf()')
    }
    await underLoad(server.uri, async (isServed, isRefused) => {
      await isServed()
      await setReadOnly('on')
      await isRefused()
      await setReadOnly('off')
      await isServed()
    })
  })

  test('a node that gets no connection refuses, and serves when there is room', async () => {
    const schema = newSchema()
    await (await openPostgres({ uri: server.uri, schema, connections: 1, clock })).close()
    await administer(server.uri, 'CREATE ROLE narrow LOGIN')
    await administer(server.uri, `GRANT USAGE ON SCHEMA "${schema}" TO narrow`)
    await administer(server.uri, `GRANT ALL ON ALL TABLES IN SCHEMA "${schema}" TO narrow`)
    const uri = server.uri.replace('postgres@', 'narrow@')
    const storage = await openPostgres({ uri, schema, connections: 1, clock })
    try {
      await administer(server.uri, 'ALTER ROLE narrow CONNECTION LIMIT 0')
      await assert.rejects(storage.ping(), StorageUnreached)
      await administer(server.uri, 'ALTER ROLE narrow CONNECTION LIMIT -1')
      await storage.ping()
    } finally {
      await storage.close()
    }
  })

  test('a listener hears again after its connection was cut', async () => {
    const schema = newSchema()
    const storage = await openPostgres({ uri: throughProxy, schema, connections: 1, clock })
    try {
      const { queue } = await storage.queues.create({ key, metadata: '{}', now: clock.now() })
      const news = new EventEmitter()
      const listening = next(news, 'heard')
      const unwatch = storage.watch(key, () => news.emit('heard'))
      await listening
      // The connection that comes in its place reports once by itself, since news may have been missed.
      const listeningAgain = next(news, 'heard')
      proxy.cutAll()
      await listeningAgain
      const heard = next(news, 'heard')
      const messages = [{ body: '"m"', ttlSeconds: HOUR, delaySeconds: 0 }]
      await recovered(storage)
      await storage.messages.append({ queue, clientId: 'c', messages, now: clock.now() })
      await heard
      unwatch()
    } finally {
      await storage.close()
    }
  })

  test('who watches subscriptions hears of them again after its connection was cut', async () => {
    const storage = await openPostgres({ uri: throughProxy, schema: newSchema(), connections: 1, clock })
    try {
      const { queue } = await storage.queues.create({ key, metadata: '{}', now: clock.now() })
      const news = new EventEmitter()
      const listening = next(news, 'heard')
      const unwatch = storage.watchSubscriptions(key, () => news.emit('heard'))
      await listening
      // The connection that comes in its place reports once by itself, since news may have been missed.
      const listeningAgain = next(news, 'heard')
      proxy.cutAll()
      await listeningAgain
      await recovered(storage)
      const terms = { id: 's', subscriber: 'http://one.example/', ttlSeconds: HOUR, options: '{}', vault: null }
      await storage.subscriptions.create({ queue, ...terms, isListening: false, now: clock.now() })
      const heard = next(news, 'heard')
      await storage.subscriptions.delete({ queue, id: 's', now: clock.now() })
      await heard
      unwatch()
    } finally {
      await storage.close()
    }
  })

  test('who leases hears of work again after its connection was cut', async () => {
    const schema = newSchema()
    const storage = await openPostgres({ uri: throughProxy, schema, connections: 1, clock })
    try {
      const news = new EventEmitter()
      const listening = next(news, 'heard')
      const unwatch = storage.watchWork(() => news.emit('heard'))
      await listening
      // The connection that comes in its place reports once by itself, since news may have been missed.
      const listeningAgain = next(news, 'heard')
      proxy.cutAll()
      await listeningAgain
      await recovered(storage)
      const { queue } = await storage.queues.create({ key, metadata: '{}', now: clock.now() })
      const terms = { id: 's', subscriber: 'http://one.example/', ttlSeconds: HOUR, options: '{}', vault: null }
      await storage.subscriptions.create({ queue, ...terms, isListening: true, now: clock.now() })
      const heard = next(news, 'heard')
      const messages = [{ body: '"m"', ttlSeconds: HOUR, delaySeconds: 0 }]
      await storage.messages.append({ queue, clientId: 'c', messages, now: clock.now() })
      await heard
      unwatch()
    } finally {
      await storage.close()
    }
  })

  test('ten nodes that start at once make one schema', async () => {
    const schema = newSchema()
    const nodes = await Promise.all(
      Array.from({ length: 10 }, () => openPostgres({ uri: server.uri, schema, connections: 1, clock })),
    )
    for (const node of nodes) await node.ping()
    await Promise.all(nodes.map((node) => node.close()))
    const [row] = await administer(server.uri, `SELECT count(*)::integer AS services FROM "${schema}".service`)
    assert.deepEqual(row, { services: 1 })
  })
})
