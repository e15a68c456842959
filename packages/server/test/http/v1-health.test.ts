import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StorageUnavailable } from '../../src/storage/contract.ts'
import { healthDoor } from '../../src/wire/v2/health.ts'
import { assertNoContent, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'

const NOBODY = { 'Client-ID': undefined, 'X-Project-Id': undefined }
const ADMIN = { 'X-Roles': 'admin' }
const NO_SOCKETS = { connections: 0, subscriptions: 0, requests: 0, pushed: 0, dropped: 0 }
const STEPS = [
  'create_queue',
  'post_messages',
  'claim_messages',
  'list_messages',
  'delete_messages',
  'delete_claim',
  'bulk_delete_messages',
  'delete_queue',
]

async function withService(use: (service: InProcessService) => Promise<void>): Promise<void> {
  const service = await openInProcess()
  try {
    await use(service)
  } finally {
    await service.close()
  }
}

function refuse(): never {
  throw new StorageUnavailable('disk full')
}

describe('health and ping', () => {
  const given = freshService()

  for (const method of ['GET', 'HEAD']) {
    test(`${method} of the health of v1 is a ping for everybody`, async () => {
      assertNoContent(await given.client.with(NOBODY).send(method, '/v1/health'))
      assert.equal((await given.client.with(NOBODY).send(method, '/v1/ping')).status, 404)
    })

    test(`${method} of the ping of v1.1 has no content`, async () => {
      assertNoContent(await given.client.send(method, '/v1.1/ping'))
      assert.equal((await given.client.with(NOBODY).send(method, '/v1.1/ping')).status, 400)
    })
  }

  test('are 503 without a text when the storage is not alive', () =>
    withService(async ({ client, storage, troubles }) => {
      Object.assign(storage, { ping: async () => refuse() })
      for (const [method, path] of [
        ['GET', '/v1/health'],
        ['HEAD', '/v1/health'],
        ['GET', '/v1.1/ping'],
      ] as const) {
        const answer = await client.send(method, path)
        assert.equal(answer.status, 503, path)
        assert.equal(answer.text, '')
      }
      assertNoContent(await client.send('HEAD', '/v1.1/ping'))
      assert.deepEqual(troubles, [])
    }))
})

describe('the health of v1.1 and v2', () => {
  const given = freshService()

  for (const version of ['/v1.1', '/v2']) {
    test(`is for operators alone in ${version}, and knows GET alone`, async () => {
      assert.equal((await given.client.get(`${version}/health`)).status, 403)
      assert.equal((await given.client.with({ 'X-Roles': 'member, Admin' }).get(`${version}/health`)).status, 200)
      assert.equal((await given.client.with(ADMIN).send('HEAD', `${version}/health`)).status, 405)
    })

    test(`tells in ${version} what was tried`, async () => {
      const answer = await given.client.with(ADMIN).get(`${version}/health`)
      const { storage_reachable, operation_status, sockets, process, storage_weakness, ...more } = json(answer)
      assert.equal(storage_reachable, true)
      assert.deepEqual(Object.keys(operation_status), STEPS)
      for (const step of STEPS) assert.deepEqual(operation_status[step], { succeeded: true, seconds: 0, ref: null })
      assert.deepEqual(sockets, NO_SOCKETS)
      assert.deepEqual([process.engine, process.started], ['sqlite', '2026-03-01T10:00:00Z'])
      assert.deepEqual(more, {})
      assert.match(storage_weakness, /^kept in memory only/, 'as this test keeps it')
    })
  }

  test('says nothing of weakness where there is none', () => {
    const process = { version: '0.1.0', engine: 'sqlite', host: 'node1', pid: 7, startedAt: 0 }
    const health = { isReachable: true, trials: [], pools: null, weakness: null, sockets: NO_SOCKETS, process }
    const { body } = healthDoor.encode(health, {} as never)
    assert.ok(!('storage_weakness' in JSON.parse(String(body))))
  })

  test('leaves nothing behind, and nothing that a client could see', async () => {
    const { storage, clock } = given
    const seen: string[] = []
    const create = storage.queues.create.bind(storage.queues)
    Object.assign(storage.queues, {
      create: (p: Parameters<typeof create>[0]) => {
        seen.push(p.key.project)
        return create(p)
      },
    })
    await given.client.with(ADMIN).get('/v2/health')
    const [project = ''] = seen
    assert.match(project, /\n/, 'which no header can hold')
    assert.equal(await storage.queues.count({ project, kind: 'queue', now: clock.now() }), 0)
    assert.equal(json(await given.client.get('/v2/queues?with_count=true')).count, undefined)
  })

  test('leaves out what a failed step stands in the way of, and says where the log speaks of it', () =>
    withService(async ({ client, storage, troubles, logged }) => {
      Object.assign(storage.claims, { create: async () => refuse() })
      const { storage_reachable, operation_status } = json(await client.with(ADMIN).get('/v2/health'))
      assert.equal(storage_reachable, true)
      assert.deepEqual(Object.keys(operation_status), [
        'create_queue',
        'post_messages',
        'claim_messages',
        'delete_queue',
      ])
      assert.deepEqual(operation_status.claim_messages, { succeeded: false, seconds: 0, ref: 'req-test' })
      assert.deepEqual(
        troubles.map((trouble) => (trouble as Error).message),
        ['disk full'],
      )
      assert.deepEqual(logged, [{ requestId: 'req-test', operation: 'service.health' }])
    }))

  test('is told when nothing works at all', () =>
    withService(async ({ client, storage }) => {
      Object.assign(storage, { ping: async () => refuse() })
      Object.assign(storage.queues, { create: async () => refuse() })
      const { storage_reachable, operation_status } = json(await client.with(ADMIN).get('/v2/health'))
      assert.equal(storage_reachable, false)
      assert.deepEqual(operation_status, { create_queue: { succeeded: false, seconds: 0, ref: 'req-test' } })
    }))
})
