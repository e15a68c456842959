import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Service, startService } from '../../src/service.ts'
import { load } from '../config/memory.ts'
import { CLIENT_ID, PROJECT } from '../support/test-client.ts'
import { until } from '../support/until.ts'

const ADMIN = { 'X-Roles': 'admin' }

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: documents of all kinds
  readonly body: any
}

/** A service with pooling, in a folder of its own. */
class PooledService {
  readonly folder: string
  readonly #flags: readonly string[]
  #service: Service

  static async start(...flags: string[]): Promise<PooledService> {
    const folder = await mkdtemp(join(tmpdir(), 'zaqar-placement-'))
    const all = ['--data-dir', folder, '--storage', `sqlite:${join(folder, 'own.db')}`, '--port', '0', ...flags]
    return new PooledService(folder, all, await open(all))
  }

  constructor(folder: string, flags: readonly string[], service: Service) {
    this.folder = folder
    this.#flags = flags
    this.#service = service
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await fetch(`${this.#service.url}/v2${path}`, {
      method,
      headers: { 'Client-ID': CLIENT_ID, 'X-Project-Id': PROJECT, 'Content-Type': 'application/json', ...ADMIN },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
  }

  /** A file in the folder. */
  async putPool(name: string, terms: object = {}): Promise<void> {
    const pool = { uri: `sqlite:${join(this.folder, `${name}.db`)}`, weight: 1, ...terms }
    assert.equal((await this.call('PUT', `/pools/${name}`, pool)).status, 201)
  }

  async post(queue: string, ...words: string[]): Promise<number> {
    const messages = words.map((body) => ({ body }))
    return (await this.call('POST', `/queues/${queue}/messages`, { messages })).status
  }

  async listed(queue: string): Promise<string[]> {
    const { body } = await this.call('GET', `/queues/${queue}/messages?echo=true&limit=20`)
    return body.messages.map((message: { body: string }) => message.body)
  }

  /** `meanwhile`: what happens before it is there again. */
  async restart(meanwhile = async () => {}): Promise<void> {
    await this.#service.close()
    await meanwhile()
    this.#service = await open(this.#flags)
  }

  async stop(): Promise<void> {
    await this.#service.close()
    await rm(this.folder, { recursive: true })
  }
}

function open(flags: readonly string[]): Promise<Service> {
  const env = { OS_DEFAULT__POOLING: 'true' }
  return startService(load({ argv: [...flags], env }).config, [])
}

describe('placing queues on pools', () => {
  let service: PooledService
  before(async () => {
    service = await PooledService.start()
  })
  after(() => service.stop())

  test('without a pool no queue can be made', async () => {
    assert.equal((await service.call('PUT', '/queues/jobs')).status, 503)
    assert.equal(await service.post('jobs', 'a'), 503)
    assert.deepEqual((await service.call('GET', '/queues')).body.queues, [])
  })

  test('queues are spread over pools, and are listed together, in order', async () => {
    await service.putPool('east')
    await service.putPool('west')
    const names = Array.from({ length: 16 }, (_, n) => `q${String(n).padStart(2, '0')}`)
    for (const name of names) {
      assert.equal((await service.call('PUT', `/queues/${name}`, { n: name })).status, 201)
      assert.equal((await service.call('PUT', `/queues/${name}`, { other: 1 })).status, 204)
      assert.equal(await service.post(name, name), 201)
      assert.deepEqual(await service.listed(name), [name])
    }
    const page = await service.call('GET', '/queues?limit=20&detailed=true&with_count=true')
    assert.deepEqual(
      page.body.queues.map(({ name, metadata }: { name: string; metadata: { n: string } }) => [name, metadata.n]),
      names.map((name) => [name, name]),
    )
    assert.equal(page.body.count, 16)
    const second = await service.call('GET', '/queues?limit=3&marker=q07')
    assert.deepEqual(
      second.body.queues.map(({ name }: { name: string }) => name),
      ['q08', 'q09', 'q10'],
    )
    const filtered = await service.call('GET', '/queues?n=q11')
    assert.deepEqual(
      filtered.body.queues.map(({ name }: { name: string }) => name),
      ['q11'],
    )
    for (const pool of ['east', 'west']) {
      const { status, body } = await service.call('DELETE', `/pools/${pool}`)
      assert.deepEqual([status, body.title], [403, 'Unable to delete'], 'each has some')
    }
  })

  test('after a restart each is found where it is', async () => {
    await service.restart()
    assert.deepEqual(await service.listed('q03'), ['q03'])
    assert.equal(await service.post('q03', 'again'), 201)
    assert.deepEqual(await service.listed('q03'), ['q03', 'again'])
  })

  test('a flavor has queues on its pools alone, and an unknown one has none', async () => {
    await service.putPool('fast')
    assert.equal((await service.call('PUT', '/flavors/gold', { pool_list: ['fast'] })).status, 201)
    assert.equal((await service.call('PUT', '/queues/golden', { _flavor: 'gold' })).status, 201)
    const refused = await service.call('PUT', '/queues/silvern', { _flavor: 'silver' })
    assert.equal(refused.status, 400)
    assert.equal(refused.body.description, 'Flavor silver does not exist')
    assert.equal((await service.call('DELETE', '/flavors/gold')).status, 204)
    assert.equal((await service.call('DELETE', '/pools/fast')).status, 403)
    assert.equal((await service.call('DELETE', '/queues/golden')).status, 204)
    assert.equal((await service.call('DELETE', '/pools/fast')).status, 204)
  })

  test('a pool of weight 0 gets no more queues, and gives back none', async () => {
    assert.equal((await service.call('PATCH', '/pools/east', { weight: 0 })).status, 200)
    assert.equal((await service.call('PATCH', '/pools/west', { weight: 0 })).status, 200)
    assert.equal((await service.call('PUT', '/queues/late')).status, 503)
    assert.equal(await service.post('q00', 'still'), 201)
    assert.equal((await service.call('PATCH', '/pools/east', { weight: 1 })).status, 200)
    assert.equal((await service.call('PUT', '/queues/late')).status, 201)
    await service.call('PATCH', '/pools/west', { weight: 1 })
  })

  test('dead letters and redrives go from pool to pool, both ways', async () => {
    await service.call('PATCH', '/pools/west', { weight: 0 })
    await service.call('PUT', '/queues/dead')
    await service.call('PATCH', '/pools/west', { weight: 1 })
    await service.call('PATCH', '/pools/east', { weight: 0 })
    await service.call('PUT', '/queues/work', { _dead_letter_queue: 'dead', _max_claim_count: 1 })
    await service.call('PATCH', '/pools/east', { weight: 1 })
    await service.post('work', 'a')
    const claim = async () => service.call('POST', '/queues/work/claims', { ttl: 60, grace: 60 })
    const first = await claim()
    assert.equal(first.status, 201)
    const [message] = first.body.messages
    const claimId = new URL(message.href, 'http://localhost').searchParams.get('claim_id')
    assert.equal((await service.call('DELETE', `/queues/work/claims/${claimId}`)).status, 204)
    assert.equal((await claim()).status, 204)
    assert.deepEqual(await service.listed('work'), [])
    await until(async () => (await service.listed('dead')).length === 1, 'the dead letter has arrived')
    assert.equal((await service.call('POST', '/queues/dead/redrive', {})).status, 200)
    await until(async () => (await service.listed('work')).length === 1, 'it is back')
    assert.deepEqual(await service.listed('dead'), [])
  })

  test('health has each pool', async () => {
    const { status, body } = await service.call('GET', '/health')
    assert.equal(status, 200)
    assert.equal(body.catalog_reachable, true)
    for (const pool of ['east', 'west']) {
      assert.equal(body[pool].storage_reachable, true)
      assert.equal(body[pool].operation_status.delete_queue.succeeded, true)
    }
  })
})

describe('queues of before', () => {
  test('stay in the store of the service, where the virtual pool puts those that no pool can take', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'zaqar-placement-'))
    const flags = ['--data-dir', folder, '--storage', `sqlite:${join(folder, 'own.db')}`, '--port', '0']
    const plain = await startService(load({ argv: flags }).config, [])
    const headers = { 'Client-ID': CLIENT_ID, 'X-Project-Id': PROJECT, 'Content-Type': 'application/json' }
    const messages = JSON.stringify({ messages: [{ body: 'old' }] })
    await fetch(`${plain.url}/v2/queues/old/messages`, { method: 'POST', headers, body: messages })
    await plain.close()
    const env = { OS_DEFAULT__POOLING: 'true', 'OS_POOLING:CATALOG__ENABLE_VIRTUAL_POOL': 'true' }
    const withVirtual = await startService(load({ argv: flags, env }).config, [])
    const service = new PooledService(folder, flags, withVirtual)
    try {
      assert.deepEqual(await service.listed('old'), ['old'])
      assert.equal((await service.call('PUT', '/queues/old')).status, 204)
      assert.equal((await service.call('PUT', '/queues/virtual')).status, 201)
      await service.putPool('east')
      assert.equal((await service.call('PUT', '/queues/placed')).status, 201)
      assert.equal(await service.post('old', 'new'), 201)
      assert.deepEqual(await service.listed('old'), ['old', 'new'])
      const { body } = await service.call('GET', '/queues?with_count=true')
      const names = body.queues.map(({ name }: { name: string }) => name)
      assert.deepEqual([names, body.count], [['old', 'placed', 'virtual'], 3])
      for (const name of names) assert.equal((await service.call('DELETE', `/queues/${name}`)).status, 204)
      assert.equal((await service.call('DELETE', '/pools/east')).status, 204)
      assert.deepEqual((await service.call('GET', '/queues')).body.queues, [])
    } finally {
      await service.stop()
    }
  })
})

describe('a pool that is down', () => {
  test('fails its own queues alone, and a node starts without it', async () => {
    const service = await PooledService.start()
    try {
      await service.putPool('east')
      await service.call('PUT', '/queues/there')
      await service.call('PATCH', '/pools/east', { weight: 0 })
      await service.putPool('west')
      await service.call('PUT', '/queues/here')
      await service.call('PUT', '/flavors/far', { pool_list: ['east'] })
      const isDurable = async () => (await service.call('GET', '/flavors/far')).body.capabilities.includes('DURABILITY')
      assert.equal(await isDurable(), true)
      // A folder in the way of the file.
      const file = join(service.folder, 'east.db')
      await service.restart(async () => {
        await rename(file, `${file}.away`)
        await mkdir(file)
      })
      assert.equal(await service.post('here', 'a'), 201)
      assert.equal(await service.post('there', 'a'), 503)
      assert.equal((await service.call('GET', '/queues')).body.queues.length, 2)
      const { body } = await service.call('GET', '/health')
      assert.deepEqual([body.east.storage_reachable, body.west.storage_reachable], [false, true])
      assert.equal(await isDurable(), false, 'nobody knows')
      await rmdir(file)
      await rename(`${file}.away`, file)
      await until(async () => (await service.post('there', 'b')) === 201, 'it is back')
      assert.deepEqual(await service.listed('there'), ['b'])
      assert.equal(await isDurable(), true)
    } finally {
      await service.stop()
    }
  })
})
