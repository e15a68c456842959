import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const TESTSECRET = { OS_SIGNED_URL__SECRET_KEY: 'testsecret' }

describe('sharing a queue', () => {
  const given = freshService(TESTSECRET)
  const share = (body: unknown) =>
    given.client.with({ 'X-Project-Id': 'notif-demo' }).post('/v2/queues/orders/share', body)

  test('answers 200 with what was signed, in the order and spelling of upstream', async () => {
    const answer = await share({ expires: '2099-01-01T00:00:00' })
    assert.equal(answer.status, 200)
    assert.equal(
      answer.text,
      '{"paths": ["/v2/queues/orders/messages"], "methods": ["GET"], "project": "notif-demo", ' +
        '"expires": "2099-01-01T00:00:00", ' +
        '"signature": "ddca9dc6a5e79b6f2420880506843ca2b5a8b2f8c7c2f8d63169b17ca3ac935f"}',
    )
  })

  test('sorts methods and paths', async () => {
    const { paths, methods, signature } = json(
      await share({ methods: ['POST', 'GET'], paths: ['messages', 'claims'], expires: '2099-01-01T00:00:00' }),
    )
    assert.deepEqual(paths, ['/v2/queues/orders/claims', '/v2/queues/orders/messages'])
    assert.deepEqual(methods, ['GET', 'POST'])
    assert.equal(signature, '4cbf73c2a244249b9164e20fbc131422ecf5061db4d875fbaa948529e0e28233')
  })

  test('turns the expiry into UTC', async () => {
    const methods = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH']
    const { expires, signature } = json(
      await share({ methods, paths: ['subscriptions'], expires: '2099-12-31T23:59:59+01:00' }),
    )
    assert.equal(expires, '2099-12-31T22:59:59')
    assert.equal(signature, '1518d0011ac59596ecfd348c70b6674f8285cdd8a42a4ecc65f26eb13b93c6a0')
  })

  test('is for a day unless it says otherwise', async () => {
    for (const body of [{}, { expires: null }, { expires: '' }, { methods: [], paths: null }]) {
      const { expires, methods, paths } = json(await share(body))
      assert.equal(expires, '2026-03-02T10:00:00')
      assert.deepEqual([methods, paths], [['GET'], ['/v2/queues/orders/messages']])
    }
  })

  test('takes the microseconds of python-zaqarclient, and leaves its project aside', async () => {
    const { expires, project } = json(await share({ expires: '2026-03-01T10:00:05.123456', project_id: 'victim' }))
    assert.deepEqual([expires, project], ['2026-03-01T10:00:05', 'notif-demo'])
    assert.equal(json(await share({ expires: '20991231T235959Z' })).expires, '2099-12-31T23:59:59')
  })

  test('keeps duplicates and methods that no operation has', async () => {
    const { methods } = json(await share({ methods: ['get', 'FOO', 'FOO'] }))
    assert.deepEqual(methods, ['FOO', 'FOO', 'get'])
  })

  test('does not create the queue', async () => {
    assert.equal((await share({})).status, 200)
    assert.deepEqual(json(await given.client.with({ 'X-Project-Id': 'notif-demo' }).get('/v2/queues')).queues, [])
  })

  test('can only be asked for by POST', async () => {
    const answer = await given.client.get('/v2/queues/orders/share')
    assert.deepEqual([answer.status, answer.headers['allow']], [405, 'POST, OPTIONS'])
  })

  const request = 'Invalid API request'
  const refused: readonly (readonly [body: unknown, title: string, ...mentions: string[]])[] = [
    [undefined, 'Invalid request body'],
    ['', 'Invalid request body'],
    ['{', 'Invalid request body', 'could not be parsed'],
    ['5', 'Invalid request body', 'could not be parsed'],
    ['[]', 'Invalid request body'],
    [{ path: ['messages'] }, request, "Unknown keys: {'path'}"],
    [{ methods: 'GET' }, request, '`methods` should be a list'],
    [{ methods: [1] }, request, '`methods` should be a list'],
    [{ methods: ['GET,POST'] }, request, 'GET,POST'],
    [{ methods: [',/v2/queues\\nGET'] }, request, 'method'],
    [{ paths: ['messages', 'stats'] }, request, "Invalid paths: {'stats'}"],
    [{ paths: 'messages' }, request, 'Invalid paths: {'],
    [{ paths: [['messages']] }, request, 'Invalid paths'],
    [{ paths: { messages: 1 } }, request, '`paths` should be a list'],
    [{ expires: '2026-03-01T10:00:00' }, request, '`expires` is lower than the current time'],
    [{ expires: '2020-01-01' }, request, '`expires` is lower than the current time'],
    [{ expires: 4102444800 }, request, 'not integer value: 4102444800'],
    [{ expires: '4102444800' }, request, 'not integer value: 4102444800'],
    [{ expires: 0 }, request, 'not integer value: 0'],
    [{ expires: 'tomorrow' }, request, "Unable to parse date string 'tomorrow'"],
    [{ expires: ['2099-01-01'] }, request, 'Unable to parse date string'],
  ]
  for (const [body, title, ...mentions] of refused) {
    test(`is refused with ${JSON.stringify(body) ?? 'no body'}`, async () => {
      assertError(await share(body), 400, title, ...mentions)
    })
  }
})
