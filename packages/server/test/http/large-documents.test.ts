import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ManualClock } from 'zaqar-conformance'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const MAX = 65_536

/** A JSON object of so many bytes, without blanks, full of numbers that JavaScript would respell. */
function large(bytes: number): string {
  const filled = `{"long":[${'1.0,'.repeat(Math.floor((bytes - 40) / 4))}1.0],"pad":""}`
  return filled.replace('""', `"${'x'.repeat(bytes - filled.length)}"`)
}

/** How often others get their turn while something is under way. */
async function turnsDuring(act: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let isOver = false
  const count = () => {
    turns += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  await act()
  isOver = true
  return turns
}

function usedHeap(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

describe('metadata as large as they may be', () => {
  const service = freshService()
  const change = (op: string, key: string, value?: unknown) => [{ op, path: `/metadata/${key}`, value }]

  test('are taken to the last byte, and can be changed as long as the result is not larger', async () => {
    assert.equal((await service.client.put('/v2/queues/q', large(MAX))).status, 201)
    assertError(await service.client.put('/v2/queues/r', large(MAX + 1)), 400, 'Invalid API request', String(MAX))
    const grown = await service.client.patch('/v2/queues/q', change('replace', 'pad', 'x'.repeat(1000)))
    assertError(grown, 400, 'Invalid request body', `Queue metadata is too large. Max size: ${MAX}`)
    assert.equal((await service.client.patch('/v2/queues/q', change('replace', 'pad', ''))).status, 200)
    assert.equal((await service.client.patch('/v2/queues/q', change('add', 'b', 'y'))).status, 200)
    assert.equal((await service.client.patch('/v2/queues/q', change('remove', 'long'))).status, 200)
    assert.equal((await service.client.get('/v1.1/queues/q')).text, '{"pad": "", "b": "y"}')
  })

  test('do not grow in many steps, and are left as they were by the one that is too much', async () => {
    await service.client.put('/v2/topics/t', {})
    const statuses: number[] = []
    for (let step = 0; step < 4; step++) {
      statuses.push((await service.client.patch('/v2/topics/t', change('add', `k${step}`, 'x'.repeat(20_000)))).status)
    }
    assert.deepEqual(statuses, [200, 200, 200, 400])
    assert.deepEqual(Object.keys(json(await service.client.get('/v2/topics/t'))).slice(0, 4), [
      'k0',
      'k1',
      'k2',
      '_max_messages_post_size',
    ])
  })

  test('are not remembered, whatever is done with their queues', async () => {
    const queues = Array.from({ length: 500 }, (_, n) => `/v2/queues/q${n}`)
    const body = large(MAX)
    const before = usedHeap()
    for (const queue of queues) {
      await service.client.put(queue, body)
      await service.client.post(`${queue}/messages`, { messages: [{ body: 1 }] })
    }
    const grown = usedHeap() - before
    assert.ok(grown < 8 * 1024 * 1024, `${grown} bytes more for ${queues.length * MAX} bytes of metadata`)
  })
})

test('a filtered listing of large metadata lets others in between, also right after the start', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-large-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new ManualClock()
  const now = clock.now()
  const open = () => openSqlite({ path: join(folder, 'zaqar.db'), clock })
  const first = await open()
  const metadata = large(MAX)
  for (let n = 0; n < 300; n++) {
    await first.queues.create({ key: { project: 'p', kind: 'queue', name: `q${n}` }, metadata, now })
  }
  await first.close()
  const storage = await open()
  t.after(() => storage.close())
  const page = {
    project: 'p',
    kind: 'queue',
    after: null,
    limit: 10,
    nameContains: null,
    withMetadata: false,
    now,
  } as const
  const turns = await turnsDuring(async () => {
    assert.deepEqual(await storage.queues.list({ ...page, metadata: [{ key: 'x', anyOf: ['y'] }] }), [])
  })
  assert.ok(turns >= 100, `${turns} turns of the event loop for ${300 * MAX} bytes`)
})

describe('options of a subscription', () => {
  const service = freshService()
  const SUBSCRIPTIONS = '/v2/queues/q/subscriptions'
  const WORDS = `The options of a subscription are too large. Max size: ${MAX}`

  test('may be as large as metadata, on POST and PATCH', async () => {
    const post = (options: string, subscriber = 'http://one.example/') =>
      service.client.post(SUBSCRIPTIONS, `{"subscriber": "${subscriber}", "options": ${options}}`)
    const created = await post(large(MAX))
    assert.equal(created.status, 201)
    assertError(await post(large(MAX + 1), 'http://two.example/'), 400, 'Invalid API request', WORDS)
    const path = `${SUBSCRIPTIONS}/${json(created).subscription_id}`
    assertError(await service.client.patch(path, `{"options": ${large(MAX + 1)}}`), 400, 'Invalid API request', WORDS)
    assert.equal((await service.client.patch(path, `{"options": ${large(MAX)}}`)).status, 204)
    assert.equal(json(await service.client.get(SUBSCRIPTIONS)).subscriptions.length, 1)
  })
})
