/**
 * What has let somebody into upstream, or still does, tried here. Each test is an attack that has worked there.
 * (contract auth-policy.md 3, 6, 7)
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { problemsOf } from '../config/memory.ts'
import { fetchDocument, operationsOf } from '../openapi/document.ts'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { KEYSTONE } from '../support/keystone-settings.ts'

const CLAIMS_TO_BE_ADMIN = { 'X-Roles': 'admin', 'X-User-Id': 'u', 'X-Identity-Status': 'Confirmed' }
/** Served to everybody. */
const PUBLIC = ['/', '/openapi.json', '/asyncapi.json', '/docs', '/v2/confirm']

describe('with Keystone', () => {
  let service: InProcessService
  beforeEach(async () => {
    service = await openInProcess({ ...KEYSTONE, OS_SIGNED_URL__SECRET_KEY: 'k' })
  })
  afterEach(async () => {
    await service.close()
    assert.deepEqual(service.troubles, [])
  })

  /** Every route, by somebody who names a project and says to be its administrator. */
  async function answersTo(headers: Readonly<Record<string, string>>): Promise<Set<string>> {
    const answers = new Set<string>()
    const attacker = service.client.with({ ...CLAIMS_TO_BE_ADMIN, ...headers })
    for (const { method, path } of operationsOf(await fetchDocument(service.send))) {
      if (PUBLIC.includes(path) && !('URL-Signature' in headers)) continue
      const { status, text } = await attacker.send(method, path.replace(/\{\w+\}/g, 'x'))
      answers.add(`${status} ${text}`)
    }
    return answers
  }
  const UNAUTHORIZED =
    '401 {"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}'

  for (const value of ['', '1', 'messagecode:1']) {
    test(`CVE-2026-66139: the header EXTRA-SPEC '${value}' lets nobody in by any route`, async () => {
      assert.deepEqual(await answersTo({ 'EXTRA-SPEC': value }), new Set([UNAUTHORIZED]))
    })
  }

  test('the header X-Storage-Token counts for no token by any route', async () => {
    assert.deepEqual(await answersTo({ 'X-Storage-Token': 'junk' }), new Set([UNAUTHORIZED]))
  })

  for (const extra of [{}, { 'EXTRA-SPEC': '1' }, { 'X-Auth-Token': 'junk' }]) {
    const beside = Object.keys(extra).map((name) => ` beside ${name}`)
    test(`CVE-2026-97404: an empty URL-Signature${beside} lets nobody in by any route`, async () => {
      assert.deepEqual(await answersTo({ 'URL-Signature': '', ...extra }), new Set(['404 {"title": "404 Not Found"}']))
    })
  }
})

describe('signed URLs:', () => {
  const given = freshService()

  async function holderOf(queue: string) {
    const shared = json(await given.client.post(`/v2/queues/${queue}/share`, { methods: ['GET', 'POST', 'DELETE'] }))
    return given.client.with({
      'URL-Methods': shared.methods.join(','),
      'URL-Paths': shared.paths.join(','),
      'URL-Expires': shared.expires,
      'URL-Signature': shared.signature,
    })
  }

  test('that of one queue is good for no other queue of the project', async () => {
    const [id] = await given.post('salaries', { body: 'secret' })
    const holder = await holderOf('lunch')
    const messages = { messages: [{ body: 'by the holder' }] }
    assert.equal((await holder.post('/v2/queues/lunch/messages', messages)).status, 201)
    for (const [method, target, body] of [
      ['GET', '/v2/queues/salaries/messages?echo=true'],
      ['GET', `/v2/queues/salaries/messages/${id}`],
      ['POST', '/v2/queues/salaries/messages', messages],
      ['DELETE', `/v2/queues/salaries/messages/${id}`],
      ['DELETE', '/v2/queues/salaries/messages?pop=1'],
    ] as const) {
      assert.equal((await holder.send(method, target, body)).status, 404, `${method} ${target}`)
    }
    // Nor does the id of the other queue's message mean anything in its own.
    assert.equal((await holder.get(`/v2/queues/lunch/messages/${id}`)).status, 404)
    assert.equal((await holder.delete(`/v2/queues/lunch/messages/${id}`)).status, 204)
    assert.equal((await given.client.get(`/v2/queues/salaries/messages/${id}`)).status, 200)
  })

  test('a dot in the name of a queue is a dot', async () => {
    await given.post('lunchXmonday', { body: 'secret' })
    const holder = await holderOf('lunch.monday')
    assert.equal((await holder.get('/v2/queues/lunch.monday/messages')).status, 200)
    assert.equal((await holder.get('/v2/queues/lunchXmonday/messages')).status, 404)
  })
})

describe('encryption:', () => {
  const given = freshService({ OS_TRANSPORT__MESSAGE_ENCRYPTION_KEY: 'a key of our own' })

  test('a body that is a Python pickle is a text like any other', async () => {
    // The number 5, null, a broken import, and one that would run a command.
    const bodies = ['I5\n.', 'N.', 'cnowhere\nnothing\n.', "cos\nsystem\n(S'touch /tmp/pickled'\ntR.", '', 'abcd']
    await given.client.put('/v2/queues/q', { _enable_encrypt_messages: true })
    await given.post('q', ...bodies.map((body) => ({ body })))
    const { messages } = json(await given.client.get('/v2/queues/q/messages?echo=true'))
    assert.deepEqual(
      messages.map((message: { body: unknown }) => message.body),
      bodies,
    )
  })

  test('the key that everybody knows is none, and there is no other by default', async () => {
    const [problem] = problemsOf({ env: { OS_TRANSPORT__MESSAGE_ENCRYPTION_KEY: 'AES256' } })
    assert.match(problem ?? '', /known to everybody/)
    const service = await openInProcess()
    const answer = await service.client.put('/v2/queues/q', { _enable_encrypt_messages: true })
    assertError(answer, 400, 'Invalid API request', 'message_encryption_key')
    await service.close()
  })
})

describe('two projects:', () => {
  const given = freshService()

  test('who knows the id of a message of another project can neither read nor delete it', async () => {
    const [id] = await given.post('jobs', { body: 'secret' })
    const stranger = given.client.with({ 'X-Project-Id': 'p2' })
    await stranger.post('/v2/queues/jobs/messages', { messages: [{ body: 'own' }] })
    assert.equal((await stranger.get(`/v2/queues/jobs/messages/${id}`)).status, 404)
    assert.equal((await stranger.get(`/v2/queues/jobs/messages?ids=${id}`)).status, 404)
    // Deleting what is not there is no mistake, here as in the own project.
    assert.equal((await stranger.delete(`/v2/queues/jobs/messages/${id}`)).status, 204)
    assert.equal((await stranger.delete(`/v2/queues/jobs/messages?ids=${id}`)).status, 204)
    assert.equal((await given.client.get(`/v2/queues/jobs/messages/${id}`)).status, 200)
    assert.equal(json(await given.client.get('/v2/queues/jobs/stats')).messages.total, 1)
  })

  test('names of projects and queues do not run into each other', async () => {
    const of = (project: string) => given.client.with({ 'X-Project-Id': project })
    await of('a').post('/v2/queues/b.c/messages', { messages: [{ body: 'secret' }] })
    assert.deepEqual(json(await of('a.b').get('/v2/queues/c/messages?echo=true')).messages, [])
    assert.equal(json(await of('a').get('/v2/queues/b.c/messages?echo=true')).messages.length, 1)
  })
})
