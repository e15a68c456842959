import assert from 'node:assert/strict'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { STALE } from '../../packages/server/src/storage/contract.ts'
import { APPLICATION_ID } from '../../packages/server/src/storage/sqlite/database.ts'
import { openSqlite } from '../../packages/server/src/storage/sqlite/open-sqlite.ts'
import { assertError, json } from '../../packages/server/test/support/answers.ts'
import { type InProcessService, openInProcess } from '../../packages/server/test/support/in-process.ts'
import { PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { startService } from '../support/service.ts'
import { mountDisk, type SmallDisk } from '../support/small-disk.ts'

const MESSAGES = '/v2/queues/jobs/messages'
const CLAIMS = '/v2/queues/jobs/claims'

const mounted = mountDisk('40m')

describe('a disk without a page left', { skip: typeof mounted === 'string' && mounted }, () => {
  const disk = mounted as SmallDisk
  let data: string
  let service: InProcessService
  let stores = 0

  beforeEach(async () => {
    stores += 1
    data = join(disk.folder, `store-${stores}`)
    mkdirSync(data)
    await open()
  })
  afterEach(async () => {
    await service.close()
    rmSync(data, { recursive: true })
    rmSync(join(disk.folder, 'neighbour'), { force: true })
  })
  after(() => disk.unmount())

  async function open(): Promise<void> {
    service = await openInProcess({}, { openStorage: (clock) => openSqlite({ path: join(data, 'zaqar.db'), clock }) })
  }

  async function reopen(): Promise<void> {
    await service.close()
    await open()
  }

  function post(count = 1, bytes = 1000): Promise<{ status: number; text: string }> {
    const messages = Array.from({ length: count }, (_, i) => ({ body: [i, 'x'.repeat(bytes)] }))
    return service.client.post(MESSAGES, { messages })
  }

  /** Posts so many messages, and then as many as the disk takes when somebody else has filled it. */
  async function fill(count: number): Promise<void> {
    for (let stored = 0; stored < count; stored += 100) assert.equal((await post(100)).status, 201)
    disk.fill()
    for (let more = 0; (await post()).status === 201; more++) assert.ok(more < 20_000, 'the disk does not fill')
  }

  async function total(): Promise<number> {
    return json(await service.client.get('/v2/queues/jobs/stats')).messages.total
  }

  test('delayed messages that subscriptions are to be told of wait for room, and hold up nobody', async () => {
    const told = async () => {
      const batch = { notifications: 10, bytes: 1000 }
      const now = service.clock.now()
      const { leases } = await service.storage.deliveries.lease({ limit: 10, seconds: 1, batch, now })
      return leases.map(({ queue: { name } }) => name)
    }
    assert.equal((await service.client.put('/v2/queues/jobs', { _default_message_delay: 60 })).status, 201)
    for (const name of ['jobs', 'other']) {
      const subscriber = `http://receiver.example/${name}`
      assert.equal((await service.client.post(`/v2/queues/${name}/subscriptions`, { subscriber })).status, 201)
    }
    const visible = async () => {
      const now = service.clock.now()
      const queue = await service.storage.queues.get({ key: { project: PROJECT, kind: 'queue', name: 'jobs' }, now })
      assert.ok(queue)
      const terms = { after: null, limit: 1000, hideClientId: null, includeClaimed: true, includeDelayed: false, now }
      const page = await service.storage.messages.list({ queue, ...terms })
      assert.ok(page !== STALE)
      return page.messages.length
    }
    const messages = Array.from({ length: 10 }, (_, i) => ({ body: [i, 'x'.repeat(20_000)] }))
    for (let posted = 0; posted < 400; posted += 10) {
      assert.equal((await service.client.post(MESSAGES, { messages })).status, 201)
    }
    assert.equal((await service.client.post('/v2/queues/other/messages', { messages: [{ body: 1 }] })).status, 201)
    disk.fill()
    service.clock.advance(60_000)
    // The first of them may meet the end of the disk.
    await service.client.get(MESSAGES)
    const first = await told()
    assert.ok(first.includes('other'))
    for (let more = 0; more < 10; more++) {
      service.clock.advance(1_000)
      assert.equal((await service.client.get(MESSAGES)).status, 200)
      await told()
    }
    assert.equal(await total(), 400)
    assert.ok((await visible()) < 400, 'all had room')
    disk.clear()
    for (let more = 0; (await visible()) < 400; more++) {
      assert.ok(more < 100, 'they still wait')
      service.clock.advance(1_000)
      await told()
    }
  })

  /** Removes some messages; false when there are none. */
  const consumers: Record<string, () => Promise<boolean>> = {
    async pop() {
      const answer = await service.client.delete(`${MESSAGES}?pop=20`)
      assert.equal(answer.status, 200, answer.text)
      return json(answer).messages.length > 0
    },
    async 'delete by ids'() {
      const listed = await service.client.get(`${MESSAGES}?echo=true&limit=20`)
      assert.equal(listed.status, 200, listed.text)
      const ids = json(listed).messages.map((one: { id: string }) => one.id)
      if (ids.length === 0) return false
      assert.equal((await service.client.delete(`${MESSAGES}?ids=${ids}`)).status, 204)
      return true
    },
    async 'claim, renew, release, claim and delete'() {
      const released = await service.client.post(`${CLAIMS}?limit=20`, { ttl: 60, grace: 60 })
      if (released.status === 204) return false
      assert.equal(released.status, 201, released.text)
      const location = released.headers['location'] as string
      assert.equal((await service.client.patch(location, { ttl: 4000, grace: 60 })).status, 204)
      assert.equal((await service.client.delete(location)).status, 204)
      const claim = await service.client.post(`${CLAIMS}?limit=20`)
      assert.equal(claim.status, 201, claim.text)
      for (const { href } of json(claim).messages) assert.equal((await service.client.delete(href)).status, 204)
      return true
    },
    async 'many pops at one time'() {
      const answers = await Promise.all(Array.from({ length: 60 }, () => service.client.delete(`${MESSAGES}?pop=20`)))
      for (const { status, text } of answers) assert.equal(status, 200, text)
      return answers.some((answer) => json(answer).messages.length > 0)
    },
  }

  for (const [how, consume] of Object.entries(consumers)) {
    for (const [who, afterEach] of [
      ['', () => {}],
      [', also when others take all room that comes free', () => disk.fill()],
    ] as const) {
      test(`does not keep consumers from emptying the queue by ${how}${who}; then there is room for what is new`, async () => {
        await fill(8000)
        const refused = await post()
        assertError(refused as never, 503, 'Service temporarily unavailable')
        while (await consume()) afterEach()
        assert.equal(await total(), 0)
        assert.equal((await post(100)).status, 201)
        assert.equal((await service.client.put('/v2/queues/new', { metadata: 'some' })).status, 201)
        assert.equal(await total(), 100)
      })
    }
  }

  for (const [how, remove] of [
    ['purged', () => service.client.post('/v2/queues/jobs/purge', { resource_types: ['messages'] })],
    ['deleted', () => service.client.delete('/v2/queues/jobs')],
  ] as const) {
    test(`lets the queue be ${how}, and what that frees is used`, async () => {
      await fill(8000)
      assert.equal((await remove()).status, 204)
      disk.fill()
      for (let rounds = 0; (await post(100)).status !== 201; rounds++) {
        assert.ok(rounds < 1000, 'nothing comes free')
        service.clock.advance(500)
        for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
      assert.equal(await total(), 100)
    })
  }

  test('lets a start come up that finds it so, and empty the queue', async () => {
    for (let stored = 0; stored < 8000; stored += 100) assert.equal((await post(100)).status, 201)
    await service.close()
    disk.fill()
    await open()
    while (await consumers['pop']?.()) disk.fill()
    assert.equal((await post()).status, 201)
  })

  test('lets a version come up that has steps of the schema to make', async () => {
    await service.close()
    rmSync(join(data, 'zaqar.db'))
    const db = new DatabaseSync(join(data, 'zaqar.db'))
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA application_id = ${APPLICATION_ID};
      CREATE TABLE earlier AS SELECT zeroblob(4000000) AS contents`)
    db.close()
    disk.fill()
    await open()
    assert.equal((await service.client.get('/v2/queues')).status, 200)
  })

  test('lets a start come up that follows a full disk, and go on', async () => {
    await fill(8000)
    for (let left = await total(); left > 0; left = await total()) {
      await reopen()
      disk.fill()
      for (let i = 0; i < 100; i++) await consumers['pop']?.()
    }
    assert.equal((await post()).status, 201)
  })

  test('serves those who look, says that it is no healthy store, and keeps consumers going while others try to post', async () => {
    await fill(8000)
    const before = await total()
    assert.equal((await service.client.get('/v2/ping')).status, 503)
    // Or a proxy would keep consumers away, who alone can make room.
    assert.equal((await service.client.get('/readyz')).status, 200)
    assert.equal((await service.client.put('/v2/queues/jobs')).status, 204, 'it exists')
    assert.equal((await service.client.put('/v2/queues/new')).status, 503)
    const answers = await Promise.all([
      ...Array.from({ length: 50 }, () => post()),
      ...Array.from({ length: 10 }, () => service.client.delete(`${MESSAGES}?pop=1`)),
      ...Array.from({ length: 50 }, () => post()),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array(50).fill(503), ...Array(10).fill(200), ...Array(50).fill(503)],
    )
    assert.equal(await total(), before - 10)
  })

  test('is over when there is room again, and the reserve is back', async () => {
    const reserve = () => statSync(join(data, 'zaqar.db-reserve'), { throwIfNoEntry: false })?.size ?? 0
    const size = reserve()
    assert.ok(size > 0)
    await fill(4000)
    assert.equal(reserve(), 0)
    disk.clear()
    assert.equal((await post()).status, 201)
    assert.equal(reserve(), size)
    assert.equal((await service.client.get('/v2/ping')).status, 204)
  })

  test('loses nothing by a crash, and the next start empties the queue', async () => {
    const dataDir = join(data, 'own')
    const first = await startService({ dataDir })
    const sendFirst = sendOverHttp(first.url)
    const client = new TestClient(sendFirst)
    const messages = Array.from({ length: 100 }, (_, i) => ({ body: [i, 'x'.repeat(1000)] }))
    for (let i = 0; i < 50; i++) assert.equal((await client.post(MESSAGES, { messages })).status, 201)
    disk.fill()
    let stored = 5000
    for (; (await client.post(MESSAGES, { messages: messages.slice(0, 1) })).status === 201; stored++);
    await client.delete(`${MESSAGES}?pop=20`)
    disk.fill()
    await first.kill()
    sendFirst.close()
    const next = await startService({ dataDir })
    const sendNext = sendOverHttp(next.url)
    const again = new TestClient(sendNext)
    let popped = 20
    for (let count = 20; count > 0; popped += count) {
      const answer = await again.delete(`${MESSAGES}?pop=20`)
      assert.equal(answer.status, 200, answer.text)
      count = json(answer).messages.length
      disk.fill()
    }
    assert.equal(popped, stored)
    await next.stop()
    sendNext.close()
  })
})
