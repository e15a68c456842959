import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { openInProcess } from '../support/in-process.ts'
import { settled, waits } from '../support/settled.ts'
import { CLIENT_ID, PROJECT } from '../support/test-client.ts'

const given = freshService({ OS_TRANSPORT__MAX_MESSAGES_PER_CLAIM_OR_POP: '100' })
const CLAIMS = '/v2/queues/jobs/claims'
const MESSAGES = '/v2/queues/jobs/messages?echo=true'

describe('long polling', () => {
  test('ten thousand requests wait at once', async () => {
    const lists = Array.from({ length: 10_000 }, (_, i) =>
      given.client.get(`/v2/queues/q${i % 100}/messages?echo=true&wait=20`),
    )
    await settled()
    for (let i = 0; i < 100; i++) await given.post(`q${i}`, { body: i })
    for (const list of lists) assert.equal(json(await list).messages.length, 1)
  })

  test('a wait asks the storage nothing as time passes', async () => {
    let asked = 0
    const service = await openInProcess()
    const { claims, messages } = service.storage
    const counted = <Input, Output>(ask: (input: Input) => Output) => {
      return (input: Input) => {
        asked++
        return ask(input)
      }
    }
    Object.assign(claims, { create: counted(claims.create) })
    Object.assign(messages, { list: counted(messages.list) })
    await service.client.put('/v2/queues/jobs')
    const waiting = [service.client.post(`${CLAIMS}?wait=20`), service.client.get(`${MESSAGES}&wait=20`)]
    await settled()
    const atFirst = asked
    assert.ok(atFirst > 0)
    for (let tenths = 0; tenths < 190; tenths++) {
      service.clock.advance(100)
      await settled()
    }
    assert.equal(asked, atFirst)
    await service.client.post('/v2/queues/other/messages', { messages: [{ body: 1 }] })
    await settled()
    assert.equal(asked, atFirst)
    await service.client.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })
    assert.deepEqual(
      (await Promise.all(waiting)).map(({ status }) => status),
      [201, 200],
    )
    await service.close()
  })

  test('a thousand listings that wait for the same cost one reading of the storage, whoever they hide', async () => {
    let read = 0
    const service = await openInProcess()
    const { messages } = service.storage
    const { list } = messages
    Object.assign(messages, {
      list(p: Parameters<typeof list>[0]) {
        read++
        return list(p)
      },
    })
    await service.client.put('/v2/queues/jobs')
    const lists = Array.from({ length: 1000 }, (_, i) =>
      service.client
        .with({ 'Client-ID': `3381af92-2b9e-11e3-b191-${String(i).padStart(12, '0')}` })
        .get('/v2/queues/jobs/messages?wait=20'),
    )
    await settled()
    read = 0
    await service.client.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })
    const texts = new Set((await Promise.all(lists)).map(({ text }) => text))
    assert.equal(texts.size, 1)
    assert.equal(read, 1)
    await service.close()
  })

  test('a wait finds at its end what the storage failed to tell of', async () => {
    const service = await openInProcess()
    Object.assign(service.storage, { watch: () => () => {} })
    const list = service.client.get(`${MESSAGES}&wait=3`)
    const claim = service.client.post(`${CLAIMS}?wait=4`)
    await settled()
    await service.client.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })
    assert.ok(await waits(list))
    service.clock.advance(3_000)
    assert.equal(json(await list).messages.length, 1)
    assert.ok(await waits(claim))
    service.clock.advance(1_000)
    assert.equal((await claim).status, 201)
    await service.close()
  })

  test('a wait ends when the service stops, and with what an empty queue answers', async () => {
    const service = await openInProcess()
    const claim = service.client.post(`${CLAIMS}?wait=20`)
    const list = service.client.get(`${MESSAGES}&wait=20`)
    assert.ok(await waits(claim))
    await service.close()
    assert.equal((await claim).status, 204)
    assert.deepEqual(json(await list), { messages: [], links: [] })
  })

  test('a wait ends when its client goes away, and takes nothing then', async () => {
    const service = await openInProcess()
    const departure = new AbortController()
    const claim = service.handle({
      id: 'req-test',
      method: 'POST',
      target: `${CLAIMS}?wait=20`,
      headers: { 'client-id': CLIENT_ID, 'x-project-id': PROJECT },
      readBody: () => ({ bytes: null, text: '' }),
      signal: () => departure.signal,
    })
    assert.ok(await waits(claim))
    departure.abort()
    assert.equal((await claim).status, 204)
    await service.client.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })
    assert.equal((await service.client.post(CLAIMS)).status, 201)
    await service.close()
  })

  test('the wait is a number', async () => {
    assertError(await given.client.post(`${CLAIMS}?wait=x`), 400, 'Invalid parameter', 'wait')
  })
})
