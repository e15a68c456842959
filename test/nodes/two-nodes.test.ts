import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { type TestAnswer, TestClient } from '../../packages/server/test/support/test-client.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { createDatabase, type SharedDatabase } from './database.ts'

/** Far less than a long poll waits, and enough for a busy machine. */
const AT_ONCE_MS = 2_000

interface Node {
  readonly service: Service
  readonly client: TestClient
  stop(): Promise<void>
}

async function startNode(storage: string): Promise<Node> {
  const service = await startService({ args: ['--storage', storage] })
  const send = sendOverHttp(service.url)
  return {
    service,
    client: new TestClient(send),
    async stop() {
      send.close()
      await service.stop()
    },
  }
}

describe('two nodes on one database', { skip: (await missingPostgres()) ?? false }, () => {
  let database: SharedDatabase
  let here: Node
  let there: Node

  before(async () => {
    database = await createDatabase()
    ;[here, there] = await Promise.all([startNode(database.uri), startNode(database.uri)])
  })
  after(async () => {
    await Promise.all([here.stop(), there.stop()])
    await database.drop()
  })

  async function post(node: Node, queue: string, ...bodies: unknown[]): Promise<void> {
    const messages = bodies.map((body) => ({ body, ttl: 300 }))
    const answer = await node.client.post(`/v2/queues/${queue}/messages`, { messages })
    assert.equal(answer.status, 201, answer.text)
  }

  /** Resolves when what came before has been looked for. */
  async function lookedOnce(queue: string, node = here): Promise<void> {
    await node.client.get(`/v2/queues/${queue}/stats`)
  }

  for (const [name, poll] of [
    ['claim', (queue: string) => here.client.post(`/v2/queues/${queue}/claims?wait=20`, { ttl: 60, grace: 60 })],
    ['listing', (queue: string) => here.client.get(`/v2/queues/${queue}/messages?echo=true&wait=20`)],
  ] as const) {
    test(`a ${name} that waits on one ends at once for a message posted on the other`, async () => {
      const queue = `waits-for-${name}`
      // More than one message, so that what wakes is no leftover of the start.
      for (const body of ['first', 'second']) {
        const polled = poll(queue)
        const early = await Promise.race([polled, lookedOnce(queue)])
        assert.equal(early, undefined, 'the poll did not wait')
        const postedAt = performance.now()
        await post(there, queue, body)
        const { messages } = JSON.parse((await polled).text)
        assert.ok(performance.now() - postedAt < AT_ONCE_MS, 'the poll was not woken')
        assert.deepEqual(bodiesOf(messages), [body])
        assert.equal((await there.client.delete(messages[0].href)).status, 204)
      }
    })
  }

  test('a claim that is released on one is taken at once by the claim that waits on the other', async () => {
    await post(here, 'released', 'only')
    const held = await here.client.post('/v2/queues/released/claims', { ttl: 300, grace: 60 })
    const waiting = there.client.post('/v2/queues/released/claims?wait=20', { ttl: 300, grace: 60 })
    assert.equal(await Promise.race([waiting, lookedOnce('released', there)]), undefined)
    const releasedAt = performance.now()
    assert.equal((await here.client.delete(held.headers['location'] as string)).status, 204)
    assert.equal((await waiting).status, 201)
    assert.ok(performance.now() - releasedAt < AT_ONCE_MS)
  })

  test('no message is in two claims, whichever nodes made them', async () => {
    const bodies = Array.from({ length: 200 }, (_, i) => i)
    for (let i = 0; i < bodies.length; i += 20)
      await post(i % 40 === 0 ? here : there, 'shared', ...bodies.slice(i, i + 20))
    const claimed: number[] = []
    const consume = async (node: Node) => {
      for (;;) {
        const answer = await node.client.post('/v2/queues/shared/claims?limit=3', { ttl: 300, grace: 60 })
        if (answer.status === 204) return
        claimed.push(...(bodiesOf(JSON.parse(answer.text).messages) as number[]))
      }
    }
    await Promise.all([here, there, here, there, here, there].map(consume))
    assert.deepEqual(
      claimed.sort((a, b) => a - b),
      bodies,
    )
  })

  test('what one claimed can be read, prolonged and deleted on the other', async () => {
    await post(here, 'handed-over', 'a')
    const claim = await here.client.post('/v2/queues/handed-over/claims', { ttl: 300, grace: 60 })
    const location = claim.headers['location'] as string
    const { messages } = JSON.parse((await there.client.get(location)).text)
    assert.deepEqual(bodiesOf(messages), ['a'])
    assert.equal((await there.client.patch(location, { ttl: 120, grace: 60 })).status, 204)
    assert.equal((await there.client.delete(messages[0].href)).status, 204)
    assert.equal((await here.client.get(location)).status, 404)
  })

  test('a POST with an Idempotency-Key is stored once, however often it comes to either', async () => {
    const send = ({ client }: Node): Promise<TestAnswer> =>
      client.post('/v2/queues/once/messages', { messages: [{ body: 'once' }] }, { headers: { 'Idempotency-Key': 'k' } })
    const answers = await Promise.all([here, there, here, there, here, there].map(send))
    answers.push(await send(here), await send(there))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
    const listed = await there.client.get('/v2/queues/once/messages?echo=true')
    assert.equal(JSON.parse(listed.text).messages.length, 1)
  })

  test('a claim with an Idempotency-Key is made once, however often it is asked for on either', async () => {
    await post(here, 'taken', ...Array.from({ length: 20 }, (_, body) => body))
    const take = ({ client }: Node): Promise<TestAnswer> =>
      client.post('/v2/queues/taken/claims?limit=2&wait=5', {}, { headers: { 'Idempotency-Key': 'k' } })
    const answers = await Promise.all([here, there, here, there, here, there].map(take))
    answers.push(await take(here), await take(there))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
    assert.equal(new Set(answers.map(({ headers }) => headers['location'])).size, 1)
    for (const { text } of answers) assert.deepEqual(bodiesOf(JSON.parse(text).messages), [0, 1])
    const { claimed } = JSON.parse((await there.client.get('/v2/queues/taken/stats')).text).messages
    assert.equal(claimed, 2)
  })

  test('a claim that waits on one is answered on the other, where it is repeated', async () => {
    const take = ({ client }: Node): Promise<TestAnswer> =>
      client.post('/v2/queues/awaited/claims?wait=20', {}, { headers: { 'Idempotency-Key': 'k' } })
    await post(here, 'awaited', 'early')
    assert.equal((await here.client.delete('/v2/queues/awaited/messages?pop=1')).status, 200)
    const waiting = [take(here), take(there)]
    await Promise.all([lookedOnce('awaited', here), lookedOnce('awaited', there)])
    await post(here, 'awaited', 'late')
    const answers = await Promise.all(waiting)
    assert.equal(new Set(answers.map(({ headers }) => headers['location'])).size, 1)
    for (const { text } of answers) assert.deepEqual(bodiesOf(JSON.parse(text).messages), ['late'])
  })

  test('settings of a queue that are changed on one count on the other from the next request on', async () => {
    await post(there, 'settings', 'known there')
    const patch = [{ op: 'add', path: '/metadata/_default_message_ttl', value: 77 }]
    assert.equal((await here.client.patch('/v2/queues/settings', patch)).status, 200)
    await there.client.post('/v2/queues/settings/messages', { messages: [{ body: 'later' }] })
    const { messages } = JSON.parse((await here.client.get('/v2/queues/settings/messages?echo=true')).text)
    assert.equal(messages[1].ttl, 77)
  })

  test('a follower on one meets what writers on both post, once and in the order of each', async () => {
    const perWriter = 60
    const writers = [here, there, here, there]
    const write = async (node: Node, writer: number) => {
      for (let number = 0; number < perWriter; number++) await post(node, 'followed', { writer, number })
    }
    const met: { writer: number; number: number }[] = []
    const follow = async () => {
      for (let target = '/v2/queues/followed/messages?echo=true&limit=7'; met.length < writers.length * perWriter; ) {
        const { messages, links } = JSON.parse((await here.client.get(`${target}&wait=5`)).text)
        assert.ok(messages.length > 0, `only ${met.length} messages were met`)
        met.push(...(bodiesOf(messages) as typeof met))
        target = links[0].href
      }
    }
    await here.client.put('/v2/queues/followed')
    await Promise.all([follow(), ...writers.map(write)])
    for (const writer of writers.keys()) {
      const numbers = met.filter((body) => body.writer === writer).map(({ number }) => number)
      assert.deepEqual(
        numbers,
        Array.from({ length: perWriter }, (_, i) => i),
      )
    }
  })

  test('the end of one leaves the other serving', async () => {
    const third = await startNode(database.uri)
    await post(third, 'survives', 'a')
    await third.service.kill()
    const { messages } = JSON.parse((await here.client.get('/v2/queues/survives/messages?echo=true')).text)
    assert.deepEqual(bodiesOf(messages), ['a'])
  })
})

function bodiesOf(messages: readonly { body: unknown }[]): unknown[] {
  return messages.map(({ body }) => body)
}
