import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Conflict, Forbidden, NotFound, Zaqar, ZaqarError, type ZaqarOptions } from 'zaqar-client/http'
import { type Service, startService } from '../support/service.ts'

let service: Service
let zaqar: Zaqar
/** Each test has one of its own. */
let project = 0

before(async () => {
  service = await startService()
})

after(() => service.stop())

function client(options: Partial<ZaqarOptions> = {}): Zaqar {
  return new Zaqar({ url: service.url, project: `project-${project}`, ...options })
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
    const [found] = await all(zaqar.queues({ metadata: { team: 'billing' }, detailed: true }))
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
    await jobs.purge(['messages'])
    assert.equal((await jobs.stats()).total, 0)
  })
})

describe('messages', () => {
  test('are posted, listed, read and deleted', async () => {
    const jobs = zaqar.queue('jobs')
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
    assert.deepEqual(
      (await jobs.pop(5)).map(({ body }) => body),
      [3],
    )
  })

  test('are followed page by page, each once', async () => {
    const jobs = zaqar.queue('jobs')
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

  test('of a client are hidden from it when it asks for that', async () => {
    const jobs = zaqar.queue('jobs')
    await jobs.post('mine')
    await client().queue('jobs').post('theirs')
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
    await claim.renew({ ttl: 120 })
    assert.equal((await jobs.getClaim(claim.id))?.ttl, 120)
    await claim.release()
    assert.equal(await jobs.getClaim(claim.id), null)
    await assert.rejects(claim.renew({ ttl: 120 }), NotFound)
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
    const { moved, done } = await zaqar.queue('failed').redrive()
    assert.deepEqual([moved.map(({ queue }) => queue), done], [['jobs'], true])
  })
})

describe('subscriptions', () => {
  test('are added, read, changed, confirmed and deleted', async () => {
    const news = zaqar.topic('news')
    const subscriber = 'http://127.0.0.1:9/hook'
    const id = await news.addSubscription({ subscriber, ttl: 300, options: { _ordered: true } })
    await news.confirmSubscription(id)
    await assert.rejects(news.addSubscription({ subscriber }), Conflict)
    await news.updateSubscription(id, { ttl: 600 })
    const [listed] = await all(news.subscriptions({ limit: 1 }))
    assert.deepEqual(listed, await news.subscription(id))
    assert.deepEqual([listed?.ttl, listed?.confirmed, listed?.source], [600, true, 'news'])
    const { secret } = await news.makeSecret(id)
    assert.match(secret, /^whsec_/)
    await news.deleteSecret(id)
    assert.deepEqual(await all(news.failures(id)), [])
    assert.deepEqual(await news.deliveries(id), [])
    assert.deepEqual(await news.replay(id), { replayed: [], done: true })
    await news.deleteSubscription(id)
    assert.equal(await news.subscription(id), null)
  })
})

describe('what is shared', () => {
  test('is what its holder can do, and nothing else', async () => {
    const jobs = zaqar.queue('jobs')
    const signed = await jobs.share({ methods: ['GET', 'POST'], paths: ['messages'] })
    const guest = client({ auth: { signed } })
    await guest.queue('jobs').post('from a guest')
    assert.equal((await guest.queue('jobs').list()).messages.length, 1)
    await assert.rejects(guest.queue('other').post('no'), NotFound)
  })
})

describe('operators', () => {
  test('see health, and have pools and flavors', async () => {
    const uri = `sqlite:${service.dataDir}/pool.db`
    const admin = client({ fetch: asAdmin(fetch) })
    assert.equal(await admin.ping(), true)
    assert.equal((await admin.health()).storage_reachable, true)
    await assert.rejects(zaqar.health(), Forbidden)
    await admin.putPool('one', { uri, weight: 10 })
    assert.equal((await admin.updatePool('one', { weight: 20 })).weight, 20)
    assert.equal((await admin.pool('one'))?.uri, uri)
    assert.deepEqual(
      (await all(admin.pools({ detailed: true }))).map(({ name }) => name),
      ['one'],
    )
    await admin.putFlavor('fast', ['one'])
    assert.deepEqual((await admin.updateFlavor('fast', ['one'])).pool_list, ['one'])
    assert.equal((await admin.flavor('fast'))?.name, 'fast')
    assert.deepEqual(
      (await all(admin.flavors())).map(({ name }) => name),
      ['fast'],
    )
    await admin.deleteFlavor('fast')
    await admin.deletePool('one')
    assert.equal(await admin.pool('one'), null)
    assert.equal(await admin.flavor('fast'), null)
  })
})

test('topics are listed, and tell what they hold', async () => {
  await zaqar.topic('news').create({ a: 1 })
  await zaqar.topic('news').post('a')
  assert.deepEqual(
    (await all(zaqar.topics())).map(({ name }) => name),
    ['news'],
  )
  assert.equal((await zaqar.topic('news').stats()).total, 1)
})

test('an error says what the service said', async () => {
  const error = await zaqar
    .queue('jobs')
    .list({ limit: 0 })
    .catch((error: unknown) => error)
  assert.ok(error instanceof ZaqarError)
  assert.deepEqual([error.code, error.status, error.title], ['bad_request', 400, 'Invalid API request'])
  assert.match(error.message, /^Invalid API request: Limit must be at least 1/)
})

/** Without Keystone a request says itself which roles it has. */
function asAdmin(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return (input, init) => fetch(input, { ...init, headers: { ...(init?.headers as object), 'X-Roles': 'admin' } })
}
