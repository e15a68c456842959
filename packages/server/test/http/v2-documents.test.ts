import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { openInProcess } from '../support/in-process.ts'

describe('the document of all versions', () => {
  const given = freshService()
  const bare = { 'Client-ID': undefined, 'X-Project-Id': undefined }

  test('lists the versions that are served, as 300, to anybody', async () => {
    const answer = await given.client.with(bare).get('/')
    assert.equal(answer.status, 300)
    assert.equal(answer.headers['content-type'], 'application/json')
    const v2 = json(answer).versions.find((version: { id: string }) => version.id === '2')
    assert.equal(
      answer.text.includes(
        '{"id": "2", "status": "CURRENT", "updated": "2014-9-24T04:06:47Z", ' +
          '"media-types": [{"base": "application/json", "type": "application/vnd.openstack.messaging-v2+json"}], ' +
          '"links": [{"href": "/v2/", "rel": "self"}]}',
      ),
      true,
    )
    assert.deepEqual(Object.keys(v2), ['id', 'status', 'updated', 'media-types', 'links'])
  })

  test('does not look at Client-ID and project', async () => {
    assert.equal((await given.client.with({ 'Client-ID': 'x', 'X-Project-Id': '' }).get('/')).status, 300)
  })

  for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    test(`refuses ${method}`, async () => {
      const answer = await given.client.with(bare).send(method, '/')
      assert.equal(answer.status, 405)
      assert.equal(answer.headers['allow'], 'GET, OPTIONS')
    })
  }

  test('is refused to who does not take JSON', async () => {
    assert.equal((await given.client.with(bare).get('/', { headers: { Accept: 'text/html' } })).status, 406)
  })
})

describe('the home document', () => {
  const given = freshService()

  test('has its own type, may be cached for a day and is indented by four blanks', async () => {
    const answer = await given.client.get('/v2/')
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-type'], 'application/json-home')
    assert.equal(answer.headers['cache-control'], 'max-age=86400')
    assert.equal(answer.text, JSON.stringify(json(answer), null, 4))
  })

  test('names the relations of upstream in its order', async () => {
    const { resources } = json(await given.client.get('/v2/'))
    const expected = [
      'queues queue queue_stats queue_share queue_purge messages post_messages messages_delete message_delete',
      'message_get claim post_claim patch_claim delete_claim subscriptions_get subscriptions_post subscription',
      'subscription_patch ping',
    ]
    const relations = expected
      .join(' ')
      .split(' ')
      .map((name) => `rel/${name}`)
    assert.deepEqual(Object.keys(resources).slice(0, relations.length), relations)
  })

  const hints = (allow: string[], more: object = {}) => ({ allow, formats: { 'application/json': {} }, ...more })
  const acceptsPost = { 'accept-post': ['application/json'] }
  const q = { queue_name: 'param/queue_name' }
  const documented: Record<string, object> = {
    'rel/queues': {
      'href-template': '/v2/queues{?marker,limit,detailed}',
      'href-vars': { marker: 'param/marker', limit: 'param/queue_limit', detailed: 'param/detailed' },
      hints: hints(['GET']),
    },
    'rel/queue': {
      'href-template': '/v2/queues/{queue_name}',
      'href-vars': q,
      hints: hints(['GET', 'PUT', 'DELETE', 'PATCH']),
    },
    'rel/messages': {
      'href-template': '/v2/queues/{queue_name}/messages{?marker,limit,echo,include_claimed}',
      'href-vars': {
        ...q,
        marker: 'param/marker',
        limit: 'param/messages_limit',
        echo: 'param/echo',
        include_claimed: 'param/include_claimed',
      },
      hints: hints(['GET']),
    },
    'rel/message_delete': {
      'href-template': '/v2/queues/{queue_name}/messages/{message_id}{?claim}',
      'href-vars': { ...q, message_id: 'param/message_id', claim: 'param/claim_id' },
      hints: hints(['DELETE']),
    },
    'rel/patch_claim': {
      'href-template': '/v2/queues/{queue_name}/claims/{claim_id}',
      'href-vars': { ...q, claim_id: 'param/claim_id' },
      hints: hints(['PATCH'], acceptsPost),
    },
    'rel/subscriptions_post': {
      'href-template': '/v2/queues/{queue_name}/subscriptions',
      'href-vars': { ...q, limit: 'param/subscription_limit' },
      hints: hints(['POST'], acceptsPost),
    },
    'rel/ping': { 'href-template': '/v2/ping', hints: hints(['GET']) },
  }
  for (const [relation, resource] of Object.entries(documented)) {
    test(`describes ${relation}`, async () => {
      assert.deepEqual(json(await given.client.get('/v2/')).resources[relation], resource)
    })
  }

  test('needs Client-ID and project', async () => {
    assert.equal((await given.client.with({ 'Client-ID': undefined }).get('/v2/')).status, 400)
    assert.equal((await given.client.with({ 'X-Project-Id': undefined }).get('/v2/')).status, 400)
  })

  test('is not for who takes only its own type', async () => {
    assert.equal((await given.client.get('/v2/', { headers: { Accept: 'application/json-home' } })).status, 406)
  })
})

test('no browser takes a document for something else than it says', async (t) => {
  const service = await openInProcess()
  t.after(() => service.close())
  for (const path of ['/', '/v1/', '/v1.1/', '/v2/', '/openapi.json', '/asyncapi.json', '/docs', '/v2/confirm']) {
    assert.equal((await service.client.get(path)).headers['x-content-type-options'], 'nosniff', path)
  }
})

describe('ping', () => {
  const given = freshService()

  for (const method of ['GET', 'HEAD']) {
    test(`${method} answers without content`, async () => {
      const answer = await given.client.send(method, '/v2/ping')
      assert.equal(answer.status, 204)
      assert.deepEqual(answer.headers, {})
    })
  }
})
