import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { optionsDigest, readVault } from '../../src/core/rules/vault.ts'
import { TrustGone, type Trusts, type TrustTokens } from '../../src/core/trusts.ts'
import type { Instant, Subscription } from '../../src/model/model.ts'
import { STALE, type Storage, StorageUnavailable } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { json } from '../support/answers.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { PROJECT, type TestClient } from '../support/test-client.ts'

const JOBS = '/v2/queues/jobs/subscriptions'
const NOVA = 'trust+https://nova.example/v2'
const GLANCE = 'trust+https://glance.example/v2'

/** Makes every trust that it is asked for. */
class FakeTrusts implements Trusts, TrustTokens {
  readonly made: { readonly token: string; readonly url: string; readonly expiresAt: Instant }[] = []
  readonly live = new Set<string>()

  async create(terms: { token: string; url: string; expiresAt: Instant }): Promise<string> {
    this.made.push(terms)
    const id = `trust-${this.made.length}`
    this.live.add(id)
    return id
  }

  discard(trustId: string): void {
    assert.ok(this.live.delete(trustId), `${trustId} is ended twice`)
  }

  async token(): Promise<string> {
    throw new TrustGone('nobody is told here')
  }

  refresh(): void {}
}

describe('a subscriber with a trust', () => {
  const services: InProcessService[] = []
  afterEach(async () => {
    for (const service of services.splice(0)) await service.close()
  })

  async function given(env: Record<string, string> = {}, change: (storage: Storage) => Storage = (storage) => storage) {
    const trusts = new FakeTrusts()
    const service = await openInProcess(
      env,
      { openStorage: async (clock) => change(await openSqlite({ path: ':memory:', clock })) },
      { trusts },
    )
    services.push(service)
    const as = (user: string): TestClient =>
      service.client.with({ 'X-Auth-Token': `token of ${user}`, 'X-User-Id': user })
    return { trusts, service, rita: as('rita'), bob: as('bob') }
  }

  /** As it is stored. */
  async function stored({ storage, clock }: InProcessService): Promise<Subscription[]> {
    const now = clock.now()
    const queue = await storage.queues.get({ key: { project: PROJECT, kind: 'queue', name: 'jobs' }, now })
    assert.ok(queue)
    const subscriptions = await storage.subscriptions.list({ queue, after: null, limit: 1000, now })
    assert.ok(subscriptions !== STALE)
    return subscriptions
  }

  async function subscribe(client: TestClient, subscriber = NOVA): Promise<string> {
    const answer = await client.post(JOBS, { subscriber, ttl: 600 })
    assert.equal(answer.status, 201, answer.text)
    return `${JOBS}/${json(answer).subscription_id}`
  }

  test('has one of the token of whoever asks, for its address and its time, and no other', async () => {
    const { trusts, rita, service } = await given()
    const item = await subscribe(rita, 'TRUST+https://nova.example/v2')
    const expiresAt = service.clock.now() + 600_000
    assert.deepEqual(trusts.made, [{ token: 'token of rita', url: 'https://nova.example/v2', expiresAt }])
    const [subscription] = await stored(service)
    assert.deepEqual(readVault(subscription?.vault ?? null).trust, {
      id: 'trust-1',
      subscriber: 'TRUST+https://nova.example/v2',
      trustorId: 'rita',
      options: optionsDigest(subscription?.options ?? ''),
    })
    service.clock.advance(60_000)
    await rita.patch(item, { subscriber: GLANCE })
    assert.deepEqual(trusts.made[1], { token: 'token of rita', url: 'https://glance.example/v2', expiresAt })
    assert.deepEqual([...trusts.live], ['trust-2'])
  })

  test('keeps its secrets when its trust changes', async () => {
    const { rita, service } = await given()
    const item = await subscribe(rita)
    assert.equal((await rita.post(`${item}/secret`)).status, 201)
    const secretsAfter = async (changes: object) => {
      assert.equal((await rita.patch(item, changes)).status, 204)
      return readVault((await stored(service))[0]?.vault ?? null).secrets.length
    }
    for (const changes of [{ ttl: 900 }, { subscriber: 'https://h/x' }, { subscriber: GLANCE }]) {
      assert.equal(await secretsAfter(changes), 1)
    }
  })

  test('needs a token: to say who one is does not suffice', async () => {
    const { trusts, service } = await given()
    const answer = await service.client.post(JOBS, { subscriber: NOVA })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /for a token only/)
    assert.deepEqual(trusts.made, [])
  })

  test('leaves no trust where the project may keep no more', async () => {
    const { trusts, rita } = await given({ OS_PROJECT_LIMITS__MAX_MESSAGE_BYTES: '60' })
    const item = await subscribe(rita, 'https://h/x')
    assert.equal((await rita.post(JOBS, { subscriber: NOVA })).status, 403)
    assert.equal((await rita.patch(item, { subscriber: `${NOVA}/servers/of/red` })).status, 403)
    assert.equal(trusts.made.length, 2)
    assert.deepEqual([...trusts.live], [])
  })

  test('keeps a trust that a failing store may know of', async () => {
    const fail = async () => {
      throw new StorageUnavailable('the disk is full')
    }
    const { trusts, rita } = await given({}, (storage) => ({
      ...storage,
      subscriptions: { ...storage.subscriptions, create: fail },
    }))
    assert.equal((await rita.post(JOBS, { subscriber: NOVA })).status, 503)
    assert.deepEqual([...trusts.live], ['trust-1'])
  })

  test('takes its trust along, however many the queue has', async () => {
    const { trusts, rita, bob } = await given()
    for (const path of ['/v2/queues/jobs', null]) {
      for (let i = 0; i < 120; i++)
        await subscribe(i % 2 === 0 ? rita : bob, i % 3 === 0 ? `https://h/${i}` : `${NOVA}/${i}`)
      assert.equal(trusts.live.size, 80)
      await (path === null
        ? bob.post('/v2/queues/jobs/purge', { resource_types: ['subscriptions'] })
        : bob.delete(path))
      assert.deepEqual([...trusts.live], [])
    }
  })

  test('keeps its trust when its messages are purged, and while it is confirmed', async () => {
    const { trusts, rita } = await given()
    const item = await subscribe(rita)
    await rita.post('/v2/queues/jobs/purge', { resource_types: ['messages'] })
    await rita.put(`${item}/confirm`, { confirmed: true })
    assert.deepEqual([...trusts.live], ['trust-1'])
  })
})
