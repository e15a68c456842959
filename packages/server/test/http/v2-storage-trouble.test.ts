import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { assertError } from '../support/answers.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { JSON_PATCH } from '../support/test-client.ts'

let service: InProcessService

/** A storage that is closed serves nobody, as one whose disk is gone. */
beforeEach(async () => {
  service = await openInProcess()
  await service.storage.close()
})

afterEach(() => service.close())

const requests: readonly (readonly [method: string, target: string, body?: unknown])[] = [
  ['GET', '/v2/queues'],
  ['GET', '/v2/queues?with_count=true'],
  ['PUT', '/v2/queues/jobs'],
  ['GET', '/v2/queues/jobs'],
  ['PATCH', '/v2/queues/jobs', []],
  ['DELETE', '/v2/queues/jobs'],
  ['GET', '/v2/queues/jobs/stats'],
  ['POST', '/v2/queues/jobs/purge'],
  ['POST', '/v2/queues/jobs/messages', { messages: [{ body: 1 }] }],
  ['GET', '/v2/queues/jobs/messages'],
  ['GET', '/v2/queues/jobs/messages?ids=a'],
  ['GET', '/v2/queues/jobs/messages/a'],
  ['DELETE', '/v2/queues/jobs/messages/a'],
  ['DELETE', '/v2/queues/jobs/messages?ids=a'],
  ['DELETE', '/v2/queues/jobs/messages?pop=1'],
  ['POST', '/v2/queues/jobs/claims'],
  ['GET', '/v2/queues/jobs/claims/c'],
  ['PATCH', '/v2/queues/jobs/claims/c', {}],
  ['DELETE', '/v2/queues/jobs/claims/c'],
]
for (const [method, target, body] of requests) {
  test(`${method} ${target} answers 503 and invites to try again`, async () => {
    const headers = method === 'PATCH' ? { 'Content-Type': JSON_PATCH } : {}
    const answer = await service.client.send(method, target, body, { headers })
    assertError(answer, 503, 'Service temporarily unavailable', 'could not be', 'try again in a few seconds')
    assert.equal(answer.headers['retry-after'], undefined)
    assert.equal(service.troubles.length, 1)
  })
}

test('what is wrong with a request is said before the storage is asked', async () => {
  assertError(await service.client.get('/v2/queues?limit=0'), 400, 'Invalid API request')
  assertError(await service.client.post('/v2/queues/jobs/messages', '{'), 400, 'Invalid request body')
  assertError(await service.client.post('/v2/queues/jobs/claims', { ttl: 1 }), 400, 'Invalid API request')
})

test('GET ping answers 503 without content, HEAD does not ask the storage', async () => {
  const answer = await service.client.get('/v2/ping')
  assert.equal(answer.status, 503)
  assert.equal(answer.text, '')
  assert.equal((await service.client.send('HEAD', '/v2/ping')).status, 204)
})

test('documents are served without it', async () => {
  assert.equal((await service.client.get('/')).status, 300)
  assert.equal((await service.client.get('/v2/')).status, 200)
})
