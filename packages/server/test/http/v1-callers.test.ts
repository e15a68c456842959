import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { CLIENT_ID } from '../support/test-client.ts'

const MESSAGE = [{ ttl: 60, body: 1 }]

describe('a caller of v1', () => {
  const given = freshService()
  const nobody = () => given.client.with({ 'Client-ID': undefined, 'X-Project-Id': undefined })

  test('without a project is in one of its own, which is shown as None', async () => {
    await given.client.put('/v1/queues/jobs')
    assertError(await nobody().get('/v1/queues/jobs/stats'), 404, 'Not found', 'jobs', 'project None')
    await nobody().put('/v1/queues/mine')
    const names = async (client: typeof given.client) =>
      json(await client.get('/v1/queues')).queues.map(({ name }: { name: string }) => name)
    assert.deepEqual(await names(nobody()), ['mine'])
    assert.deepEqual(await names(given.client), ['jobs'])
  })

  test('cannot name that project', async () => {
    await nobody().put('/v1/queues/mine')
    const named = (project: string) => given.client.with({ 'X-Project-Id': project }).get('/v1/queues/mine')
    for (const project of ['None', 'null', 'undefined', ' ']) assert.equal((await named(project)).status, 404, project)
    const answer = await named('')
    assertError(answer, 400, 'Empty project header not allowed', 'X-PROJECT-ID')
  })

  for (const [method, path, body] of [
    ['GET', '/v1/queues'],
    ['PUT', '/v1/queues/jobs'],
    ['GET', '/v1/queues/jobs'],
    ['HEAD', '/v1/queues/jobs'],
    ['GET', '/v1/queues/jobs/metadata'],
    ['PUT', '/v1/queues/jobs/metadata', {}],
    ['GET', '/v1/queues/jobs/stats'],
    ['GET', '/v1/queues/jobs/messages?ids=a'],
    ['DELETE', '/v1/queues/jobs/messages?ids=a'],
    ['GET', '/v1/queues/jobs/messages/a'],
    ['DELETE', '/v1/queues/jobs/messages/a'],
    ['POST', '/v1/queues/jobs/claims', { ttl: 60, grace: 60 }],
    ['GET', '/v1/queues/jobs/claims/c'],
    ['PATCH', '/v1/queues/jobs/claims/c', { ttl: 60 }],
    ['DELETE', '/v1/queues/jobs/claims/c'],
    ['DELETE', '/v1/queues/jobs'],
  ] as const) {
    test(`needs no Client-ID for ${method} ${path}, but one that is sent must be a UUID`, async () => {
      const without = await nobody().send(method, path, body)
      assert.notEqual(without.status, 400, without.text)
      for (const id of ['', 'my-own-id']) {
        const answer = await nobody().send(method, path, body, { headers: { 'Client-ID': id } })
        assertError(answer, 400, 'Wrong UUID value', 'Malformed hexadecimal UUID.')
      }
    })
  }

  test('needs a Client-ID to list and to post messages', async () => {
    await nobody().put('/v1/queues/jobs')
    assertError(await nobody().get('/v1/queues/jobs/messages'), 400, 'Missing header value', 'Client-ID')
    assertError(await nobody().get('/v1/queues/jobs/messages?ids='), 400, 'Missing header value', 'Client-ID')
    assertError(await nobody().post('/v1/queues/jobs/messages', MESSAGE), 400, 'Missing header value', 'Client-ID')
    const client = nobody().with({ 'Client-ID': CLIENT_ID })
    assert.equal((await client.post('/v1/queues/jobs/messages', MESSAGE)).status, 201)
    assertNoContent(await client.get('/v1/queues/jobs/messages'))
  })
})

describe('a caller of v1, where any text will do as a Client-ID', () => {
  const given = freshService({ OS_TRANSPORT__CLIENT_ID_UUID_SAFE: 'off' })

  test('still needs a UUID', async () => {
    const client = given.client.with({ 'Client-ID': 'my-own-client-id' })
    assert.equal((await client.get('/v1.1/queues')).status, 200)
    assertError(await client.get('/v1/queues'), 400, 'Wrong UUID value')
  })
})

describe('a caller of v1.1', () => {
  const given = freshService()

  test('needs a Client-ID and a project everywhere', async () => {
    for (const path of ['/v1.1/', '/v1.1/ping', '/v1.1/queues', '/v1.1/health', '/v1.1/queues/jobs/messages?ids=a']) {
      assertError(await given.client.with({ 'Client-ID': undefined }).get(path), 400, 'Missing header value')
      assertError(await given.client.with({ 'X-Project-Id': undefined }).get(path), 400, 'Project-Id Missing')
    }
  })
})
