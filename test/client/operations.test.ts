import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Claim, Conflict, Forbidden, NotFound, Zaqar, ZaqarError, type ZaqarOptions } from 'zaqar-client/http'
import { until } from '../../packages/server/test/support/until.ts'
import { startOnSqlite } from '../support/pooled-service.ts'
import { type Service, startService } from '../support/service.ts'
import { DescribedApi, recorder } from './recorder.ts'

let service: Service
let zaqar: Zaqar
/** Each test has one of its own. */
let project = 0
const { fetch: recorded, exchanges } = recorder()
/** Methods of the client that were called. */
const called = new Set<string>()
const example = new Zaqar({ url: 'http://service.test' })
const watched = [example, example.queue('q'), example.topic('t')]
  .map((one) => Object.getPrototypeOf(one))
  .concat(Claim.prototype)
  .flatMap(watch)

before(async () => {
  service = await startService()
})

after(() => service.stop())

function client(options: Partial<ZaqarOptions> = {}): Zaqar {
  return new Zaqar({ url: service.url, project: `project-${project}`, fetch: recorded, ...options })
}

beforeEach(() => {
  project += 1
  zaqar = client()
})

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items)
}

describe('queues', () => {
  test('are created once, listed, changed and deleted', async () => {
    const jobs = zaqar.queue('jobs')
    assert.equal(await jobs.create({ team: 'billing' }), true)
    assert.equal(await jobs.create(), false)
    await zaqar.queue('other').create()
    assert.deepEqual(
      (await all(zaqar.queues({ limit: 1 }))).map(({ name }) => name),
      ['jobs', 'other'],
    )
    assert.deepEqual(
      (await all(zaqar.queues({ marker: 'jobs' }))).map(({ name }) => name),
      ['other'],
    )
    const [found] = await all(zaqar.queues({ name: 'job', metadata: { team: 'billing' }, detailed: true }))
    assert.equal(found?.metadata?.['team'], 'billing')
    const changed = await jobs.update([{ op: 'replace', path: '/metadata/team', value: 'payments' }])
    assert.equal(changed['team'], 'payments')
    assert.equal((await jobs.metadata())['team'], 'payments')
    await jobs.delete()
    assert.deepEqual(
      (await all(zaqar.queues())).map(({ name }) => name),
      ['other'],
    )
  })

  test('count what is in them, and are purged', async () => {
    const jobs = zaqar.queue('jobs')
    await jobs.post('a')
    assert.equal((await jobs.stats()).total, 1)
    assert.equal((await jobs.stats({ detailed: true })).delayed, 0)
    await jobs.purge(['messages'])
    assert.equal((await jobs.stats()).total, 0)
  })
})

test('topics are created once, listed, changed, purged and deleted, and tell what they hold', async () => {
  const news = zaqar.topic('news')
  assert.equal(await news.create({ team: 'billing' }), true)
  assert.equal(await news.create(), false)
  await zaqar.topic('other').create()
  const [found, ...others] = await all(zaqar.topics({ limit: 1, detailed: true, name: 'new' }))
  assert.deepEqual([found?.name, found?.metadata?.['team'], others], ['news', 'billing', []])
  assert.deepEqual(await all(zaqar.topics({ marker: 'other' })), [])
  assert.equal((await news.update([{ op: 'remove', path: '/metadata/team' }]))['team'], undefined)
  assert.equal((await news.metadata())['team'], undefined)
  await news.post('a')
  assert.equal((await news.stats()).total, 1)
  assert.equal((await news.stats({ detailed: true })).rates?.step, 5)
  await news.purge()
  assert.equal((await news.stats()).total, 0)
  await news.delete()
  assert.deepEqual(
    (await all(zaqar.topics())).map(({ name }) => name),
    ['other'],
  )
})

for (const kind of ['queue', 'topic'] as const)
  describe(`messages of a ${kind}`, () => {
    test('are posted, listed, read and deleted', async () => {
      const jobs = zaqar[kind]('jobs')
      const id = await jobs.post({ order: 1 }, { ttl: 300 })
      const [second, third] = (await jobs.postAll([{ body: 2 }, { body: 3, ttl: 600 }])) as [string, string]
      const { messages, marker } = await jobs.list<unknown>({ limit: 2 })
      assert.deepEqual(
        messages.map(({ body }) => body),
        [{ order: 1 }, 2],
      )
      assert.equal(messages[0]?.ttl, 300)
      assert.deepEqual(
        (await jobs.list({ marker })).messages.map((message) => message.id),
        [third],
      )
      assert.deepEqual((await jobs.get(id))?.body, { order: 1 })
      assert.deepEqual(
        (await jobs.getAll([third, id])).map(({ body }) => body),
        [3, { order: 1 }],
      )
      await jobs.deleteMessage(id)
      await jobs.deleteMessages([second])
      assert.equal(await jobs.get(id), null)
      assert.deepEqual(await jobs.getAll([id]), [])
      await jobs.deleteMessages([])
      assert.deepEqual(await jobs.getAll([]), [], 'no ids, no messages')
      assert.deepEqual(
        (await jobs.pop(5)).map(({ body }) => body),
        [3],
      )
    })

    test('are followed page by page, each once', async () => {
      const jobs = zaqar[kind]('jobs')
      for (let i = 0; i < 5; i++) await jobs.post(i)
      assert.deepEqual(
        (await all(jobs.messages({ limit: 2 }))).map(({ body }) => body),
        [0, 1, 2, 3, 4],
      )
      const { marker } = await jobs.list({ limit: 3 })
      assert.deepEqual(
        (await all(jobs.messages({ from: marker as string }))).map(({ body }) => body),
        [3, 4],
      )
    })

    test('are shown before their delay is over, and while they are claimed, to who asks for it', async () => {
      const jobs = zaqar[kind]('jobs')
      await jobs.create({ _default_message_delay: 1 })
      await jobs.post('later', { delay: 900, ttl: 3600 })
      assert.deepEqual((await jobs.list({ wait: 0 })).messages, [])
      const { messages } = await jobs.list({ includeDelayed: true, includeClaimed: true, withMarkers: true })
      assert.equal(messages.length, 1)
    })

    test('come as an event stream to who wants that', async () => {
      const stop = new AbortController()
      const { headers, body } = await zaqar[kind]('jobs').openEvents(undefined, stop.signal)
      assert.equal(headers.get('content-type'), 'text/event-stream')
      stop.abort(new Error('enough'))
      await assert.rejects(new Response(body).text(), /enough/)
    })

    test('of a client are hidden from it when it asks for that', async () => {
      const jobs = zaqar[kind]('jobs')
      await jobs.post('mine')
      await client()[kind]('jobs').post('theirs')
      assert.deepEqual(
        (await jobs.list({ echo: false })).messages.map(({ body }) => body),
        ['theirs'],
      )
    })
  })

describe('claims', () => {
  test('hold messages until they are deleted or given back', async () => {
    const jobs = zaqar.queue('jobs')
    assert.equal(await jobs.claim(), null)
    await jobs.postAll([{ body: 1 }, { body: 2 }])
    const claim = await jobs.claim<number>({ ttl: 60, grace: 60, limit: 2 })
    assert.deepEqual(
      claim?.messages.map(({ body }) => body),
      [1, 2],
    )
    const [first, second] = claim?.messages ?? []
    assert.ok(claim && first && second)
    await assert.rejects(jobs.deleteMessage(second.id), Forbidden)
    await claim.delete(first)
    assert.deepEqual((await jobs.list()).messages, [])
    assert.equal((await jobs.list({ includeClaimed: true })).messages.length, 1)
    await claim.renew({ ttl: 120, grace: 60 })
    assert.equal((await jobs.getClaim(claim.id))?.ttl, 120)
    const { href: _, ...shown } = (await Array.fromAsync(jobs.claims()))[0] ?? assert.fail('no claim is listed')
    assert.deepEqual(shown, { id: claim.id, ttl: 120, age: 0, messages: 1, client_id: zaqar.clientId })
    await claim.release()
    assert.equal(await jobs.getClaim(claim.id), null)
    await assert.rejects(claim.renew({ ttl: 120 }), NotFound)
    await jobs.post(3)
    const [third, again] = [await jobs.claim({ limit: 1 }), await jobs.claim({ limit: 1, wait: 1 })]
    const listed = await Array.fromAsync(jobs.claims({ limit: 1 }))
    assert.deepEqual(
      listed.map(({ id }) => id),
      [third?.id, again?.id],
    )
    assert.deepEqual(await Array.fromAsync(jobs.claims({ marker: third?.id })), listed.slice(1))
    await jobs.deleteMessages([second.id], [third?.id ?? ''])
    await jobs.deleteMessages(again?.messages.map(({ id }) => id) ?? [])
    assert.equal((await jobs.stats()).total, 0)
  })

  test('are exchanged: what is done goes, what is next comes', async () => {
    const jobs = zaqar.queue('jobs')
    await jobs.postAll([{ body: 1 }, { body: 2 }])
    const claim = await jobs.claim<number>({ limit: 1 })
    assert.ok(claim)
    const [done] = claim.messages
    assert.ok(done)
    const next = await jobs.exchange<number>([{ id: done.id, claimId: claim.id }], { limit: 1 })
    assert.deepEqual(
      next.claim?.messages.map(({ body }) => body),
      [2],
    )
    assert.deepEqual(next.gone, [])
    const again = await jobs.exchange([{ id: done.id, claimId: claim.id }])
    assert.deepEqual(again, { claim: null, gone: [done.id], isKnown: true })
  })

  test('that were made too often lead to the dead letter queue, and back', async () => {
    const jobs = zaqar.queue('jobs')
    await jobs.create({ _max_claim_count: 1, _dead_letter_queue: 'failed' })
    await jobs.post('a')
    await (await jobs.claim())?.release()
    assert.equal(await jobs.claim(), null)
    const failed = zaqar.queue('failed')
    const ids = (await failed.list()).messages.map(({ id }) => id)
    const { moved, done } = await failed.redrive({ ids, rate: 100, limit: 20 })
    assert.deepEqual([moved.map(({ queue, id }) => [queue, id]), done], [[['jobs', ids[0]]], true])
    assert.deepEqual(await failed.redrive(), { moved: [], done: true })
  })
})

for (const kind of ['queue', 'topic'] as const) {
  test(`subscriptions of a ${kind} are added, read, changed, confirmed and deleted`, async () => {
    const news = zaqar[kind]('news')
    const subscriber = 'http://127.0.0.1:9/hook'
    const id = await news.addSubscription({ subscriber, ttl: 300, options: { _ordered: true } })
    await news.confirmSubscription(id)
    await assert.rejects(news.addSubscription({ subscriber }), Conflict)
    await news.updateSubscription(id, { ttl: 600, subscriber, options: { _ordered: false } })
    const [listed] = await all(news.subscriptions({ limit: 1 }))
    assert.deepEqual(listed, await news.subscription(id))
    assert.deepEqual([listed?.ttl, listed?.confirmed, listed?.source], [600, true, 'news'])
    const { secret } = await news.makeSecret(id)
    assert.match(secret, /^whsec_/)
    await news.deleteSecret(id)
    assert.deepEqual(await all(news.failures(id, { limit: 1 })), [])
    assert.deepEqual(await news.deliveries(id), [])
    assert.deepEqual(await news.replay(id, { since: '2026-01-01T00:00:00Z' }), { replayed: [], done: true })
    assert.deepEqual(await news.replay(id, { ids: [subscriber] }), { replayed: [], done: true })
    const other = await news.addSubscription({ subscriber: `${subscriber}/other` })
    assert.equal((await all(news.subscriptions({ limit: 1 }))).length, 2, 'page by page')
    await news.deleteSubscription(other)
    await news.deleteSubscription(id)
    assert.equal(await news.subscription(id), null)
  })
}

describe('what is shared', () => {
  test('is what its holder can do, and nothing else', async () => {
    const jobs = zaqar.queue('jobs')
    const expires = '2999-01-01T00:00:00'
    const signed = await jobs.share({ methods: ['GET', 'POST'], paths: ['messages'], expires })
    assert.equal(signed.expires, expires)
    const guest = client({ auth: { signed } })
    await guest.queue('jobs').post('from a guest')
    assert.equal((await guest.queue('jobs').list()).messages.length, 1)
    await assert.rejects(guest.queue('other').post('no'), NotFound)
  })
})

describe('operators', () => {
  test('see health, and have pools and flavors', async () => {
    const uri = `sqlite:${service.dataDir}/pool.db`
    const admin = client({ fetch: asAdmin(recorded) })
    assert.equal(await admin.ping(), true)
    assert.equal((await admin.health()).storage_reachable, true)
    await assert.rejects(zaqar.health(), Forbidden)
    assert.ok((await admin.permissions()).includes('health:get'))
    assert.ok(!(await zaqar.permissions()).includes('health:get'))
    const options = { region: 'east' }
    await admin.putPool('one', { uri, weight: 10, options, flavor: '' })
    assert.equal((await admin.updatePool('one', { uri, weight: 20, options, flavor: '' })).weight, 20)
    assert.equal((await admin.pool('one'))?.uri, uri)
    const shown = await admin.pool('one', { detailed: true })
    assert.deepEqual(shown?.options, options)
    assert.deepEqual(await all(admin.pools({ limit: 1, detailed: true })), [shown])
    await admin.putFlavor('fast', ['one'])
    assert.deepEqual((await admin.updateFlavor('fast', ['one'])).pool_list, ['one'])
    const fast = await admin.flavor('fast')
    assert.deepEqual(await all(admin.flavors({ limit: 1, detailed: true })), [fast])
    await admin.deleteFlavor('fast')
    await admin.deletePool('one')
    assert.equal(await admin.pool('one'), null)
    assert.equal(await admin.flavor('fast'), null)
  })
})

test('operators have pools drained and rebalanced', async () => {
  const pooled = await startOnSqlite(2)
  try {
    const admin = client({ url: pooled.url, fetch: asAdmin(recorded) })
    assert.equal(await admin.drain('p0'), null)
    assert.equal(await admin.rebalance(), null)
    const [first, second] = pooled.uris as [string, string]
    await admin.putPool('p0', { uri: first, weight: 1 })
    for (const name of ['a', 'b', 'c', 'd']) await admin.queue(name).post(name)
    await admin.putPool('p1', { uri: second, weight: 1 })
    const asked = await admin.rebalancePools({ rate: 1_000 })
    assert.deepEqual([asked.status, asked.rate], ['rebalancing', 1_000])
    const balanced = await ended(() => admin.rebalance())
    assert.deepEqual([balanced.status, balanced.queues_moved, balanced.queues_left], ['done', 2, 0])
    await admin.cancelRebalance()
    assert.deepEqual(await admin.rebalance(), balanced, 'it is over')
    await admin.drainPool('p0', { rate: 1 })
    await admin.cancelDrain('p0')
    assert.equal((await admin.drain('p0'))?.status, 'cancelled')
    assert.equal((await admin.drainPool('p0')).status, 'draining')
    assert.equal((await ended(() => admin.drain('p0'))).status, 'done')
    await admin.deletePool('p0')
    for (const name of ['a', 'b', 'c', 'd']) {
      const { messages } = await admin.queue(name).list({ echo: true })
      assert.deepEqual(
        messages.map(({ body }) => body),
        [name],
      )
    }
  } finally {
    await pooled.stop()
  }
})

/** As it is when it has ended. */
async function ended<T extends { readonly ended: string | null }>(get: () => Promise<T | null>): Promise<T> {
  let latest = await get()
  await until(async () => {
    latest = await get()
    return latest?.ended != null
  })
  return latest as T
}

test('an error says what the service said', async () => {
  const error = await zaqar
    .queue('jobs')
    .list({ limit: 0 })
    .catch((error: unknown) => error)
  assert.ok(error instanceof ZaqarError)
  assert.deepEqual([error.code, error.status, error.title], ['bad_request', 400, 'Invalid API request'])
  assert.match(error.message, /^Invalid API request: Limit must be at least 1/)
})

describe('the client', () => {
  /** What it leaves out, and why. */
  const left = new Map([
    ['v2.service.home', 'a directory for clients that know no paths'],
    ['v2.ping.answer.head', 'says the same as GET'],
    ['v2.queues.list ?with_count', 'upstream does not answer it as it says, and a listing comes page by page'],
    ['v2.queues.share project_id', 'of no effect'],
    ['v2.flavors.put capabilities', 'of no effect'],
    ['v2.messages.list Last-Event-ID:', 'for EventSource, which cannot say it in the address'],
    ['v2.topics.messages.list Last-Event-ID:', 'the same'],
    ['v2.topics.messages.delete ?claim_id', 'nothing of a topic is claimed'],
    ['v2.topics.messages.delete_many ?claim_ids', 'the same'],
    ['v2.subscriptions.failures ?marker', 'no delivery fails here; it is sent as that of any other listing'],
    ['v2.topics.subscriptions.failures ?marker', 'the same'],
  ])

  test('has sent everything that the description of the API has, as it says, and got what it says', async () => {
    const api = await DescribedApi.of(service.url)
    const sent = new Set(exchanges.flatMap((exchange) => api.partsIn(exchange)))
    const missing = [...api.partsOfAll()].filter((part) => !sent.has(part))
    const leftOut = (part: string) => left.has(part) || left.has(part.split(' ')[0] ?? '')
    assert.deepEqual(
      missing.filter((part) => !leftOut(part)),
      [],
    )
    assert.deepEqual(
      [...left.keys()].filter((part) => !missing.includes(part)),
      [],
      'not left out any more',
    )
  })

  test('has no method that was not called', async () => {
    assert.equal(await zaqar.url(), service.url)
    const uncalled = watched.filter((name) => !called.has(name))
    assert.deepEqual(uncalled, [])
  })
})

/** Without Keystone a request says itself which roles it has. */
function asAdmin(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return (input, init) => fetch(input, { ...init, headers: { ...(init?.headers as object), 'X-Roles': 'admin' } })
}

/** Puts down when methods of a class are called. Answers their names. */
function watch(prototype: Record<string, unknown>): string[] {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(
    ([name, { value }]) => typeof value === 'function' && name !== 'constructor',
  )
  return methods.map(([method, { value }]) => {
    const name = `${prototype.constructor.name}.${method}`
    prototype[method] = function (this: unknown, ...parameters: unknown[]) {
      called.add(name)
      return value.apply(this, parameters)
    }
    return name
  })
}
