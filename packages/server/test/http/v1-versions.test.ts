import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allVersions } from '../../src/wire/all-versions.ts'
import { type ApiVersion, withoutAdmin, withProjects } from '../../src/wire/versions.ts'
import { json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { openInProcess } from '../support/in-process.ts'
import { TestClient } from '../support/test-client.ts'

const [v1, v1_1, v2] = allVersions as [ApiVersion, ApiVersion, ApiVersion]

/** `GET HEAD` by path. */
function routesOf({ doors }: ApiVersion): Record<string, string> {
  const routes = Map.groupBy(doors, ({ path }) => path.replaceAll(':', ''))
  return Object.fromEntries(
    [...routes].map(([path, all]) => [path, [...new Set(all.map(({ method }) => method))].sort().join(' ')]),
  )
}

describe('the routes', () => {
  test('of v1 are those of the contract', () => {
    assert.deepEqual(routesOf(v1), {
      '/health': 'GET HEAD',
      '/queues': 'GET',
      '/queues/queue': 'DELETE GET HEAD PUT',
      '/queues/queue/metadata': 'GET PUT',
      '/queues/queue/stats': 'GET',
      '/queues/queue/messages': 'DELETE GET POST',
      '/queues/queue/messages/message': 'DELETE GET',
      '/queues/queue/claims': 'POST',
      '/queues/queue/claims/claim': 'DELETE GET PATCH',
      '/pools': 'GET',
      '/pools/pool': 'DELETE GET PATCH PUT',
    })
  })

  test('of v1.1 are those of the contract', () => {
    assert.deepEqual(routesOf(v1_1), {
      '/ping': 'GET HEAD',
      '/health': 'GET',
      '/queues': 'GET',
      '/queues/queue': 'DELETE GET PUT',
      '/queues/queue/stats': 'GET',
      '/queues/queue/messages': 'DELETE GET POST',
      '/queues/queue/messages/message': 'DELETE GET',
      '/queues/queue/claims': 'POST',
      '/queues/queue/claims/claim': 'DELETE GET PATCH',
      '/pools': 'GET',
      '/pools/pool': 'DELETE GET PATCH PUT',
      '/flavors': 'GET',
      '/flavors/flavor': 'DELETE GET PATCH PUT',
    })
  })

  test('for operators are health, pools and flavors, and in v1 pools alone', () => {
    const forOperators = (version: ApiVersion) => {
      const left = routesOf(withoutAdmin(version))
      return Object.keys(routesOf(version)).filter((path) => !Object.hasOwn(left, path))
    }
    const all = ['/flavors', '/flavors/flavor', '/health', '/pools', '/pools/pool']
    assert.deepEqual(forOperators(v2).sort(), [...all, '/pools/pool/drain', '/rebalance'])
    assert.deepEqual(forOperators(v1_1).sort(), all)
    assert.deepEqual(forOperators(v1).sort(), ['/pools', '/pools/pool'])
  })
})

const BARE = { 'Client-ID': undefined, 'X-Project-Id': undefined }

async function servedBy(env: Record<string, string>): Promise<Record<string, number>> {
  const service = await openInProcess(env)
  try {
    const listed = json(await service.client.get('/')).versions
    const statuses: Record<string, number> = {}
    for (const prefix of ['/v1', '/v1.1', '/v2']) {
      const { status } = await service.client.get(`${prefix}/queues`)
      const isListed = listed.some(({ links: [{ href }] }: { links: [{ href: string }] }) => href === `${prefix}/`)
      assert.equal(isListed, status !== 404, `${prefix} is listed when it is served`)
      statuses[prefix] = status
    }
    return statuses
  } finally {
    await service.close()
  }
}

describe('the versions that are served', () => {
  const option = 'OS_DEFAULT__ENABLE_DEPRECATED_API_VERSIONS'

  test('are all three by default', async () => {
    assert.deepEqual(await servedBy({}), { '/v1': 204, '/v1.1': 200, '/v2': 200 })
  })

  test('are those that the option names, and v2', async () => {
    assert.deepEqual(await servedBy({ [option]: '1' }), { '/v1': 204, '/v1.1': 404, '/v2': 200 })
    assert.deepEqual(await servedBy({ [option]: '1.1' }), { '/v1': 404, '/v1.1': 200, '/v2': 200 })
    assert.deepEqual(await servedBy({ [option]: '1,1.1' }), { '/v1': 204, '/v1.1': 200, '/v2': 200 })
  })

  test('is v2 alone when the option names none', async () => {
    assert.deepEqual(await servedBy({ [option]: '' }), { '/v1': 404, '/v1.1': 404, '/v2': 200 })
  })

  test('cannot be others', async () => {
    await assert.rejects(servedBy({ [option]: '1,3' }), /"1,3" was given, allowed is a list of 1 and 1\.1, or nothing/)
  })
})

describe('the documents', () => {
  const given = freshService()

  test('at / lists the versions, oldest first, in upstream bytes', async () => {
    const answer = await given.client.with(BARE).get('/')
    assert.equal(answer.status, 300)
    assert.equal(
      answer.text,
      '{"versions": [' +
        '{"id": "1", "status": "DEPRECATED", "updated": "2014-9-11T17:47:05Z", ' +
        '"media-types": [{"base": "application/json", "type": "application/vnd.openstack.messaging-v1+json"}], ' +
        '"links": [{"href": "/v1/", "rel": "self"}]}, ' +
        '{"id": "1.1", "status": "DEPRECATED", "updated": "2016-7-29T02:22:47Z", ' +
        '"media-types": [{"base": "application/json", "type": "application/vnd.openstack.messaging-v1_1+json"}], ' +
        '"links": [{"href": "/v1.1/", "rel": "self"}]}, ' +
        '{"id": "2", "status": "CURRENT", "updated": "2014-9-24T04:06:47Z", ' +
        '"media-types": [{"base": "application/json", "type": "application/vnd.openstack.messaging-v2+json"}], ' +
        '"links": [{"href": "/v2/", "rel": "self"}]}]}',
    )
  })

  test('of v1 needs no headers and lists what v1 has', async () => {
    const answer = await given.client.with(BARE).get('/v1/')
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-type'], 'application/json-home')
    assert.equal(answer.headers['cache-control'], 'max-age=86400')
    const queue = { queue_name: 'param/queue_name' }
    const formats = { 'application/json': {} }
    assert.deepEqual(json(answer), {
      resources: {
        'rel/queues': {
          'href-template': '/v1/queues{?marker,limit,detailed}',
          'href-vars': { marker: 'param/marker', limit: 'param/queue_limit', detailed: 'param/detailed' },
          hints: { allow: ['GET'], formats },
        },
        'rel/queue': {
          'href-template': '/v1/queues/{queue_name}',
          'href-vars': queue,
          hints: { allow: ['GET', 'HEAD', 'PUT', 'DELETE'], formats },
        },
        'rel/queue-metadata': {
          'href-template': '/v1/queues/{queue_name}/metadata',
          'href-vars': queue,
          hints: { allow: ['GET', 'PUT'], formats },
        },
        'rel/queue-stats': {
          'href-template': '/v1/queues/{queue_name}/stats',
          'href-vars': queue,
          hints: { allow: ['GET'], formats },
        },
        'rel/messages': {
          'href-template': '/v1/queues/{queue_name}/messages{?marker,limit,echo,include_claimed}',
          'href-vars': {
            ...queue,
            marker: 'param/marker',
            limit: 'param/messages_limit',
            echo: 'param/echo',
            include_claimed: 'param/include_claimed',
          },
          hints: { allow: ['GET'], formats },
        },
        'rel/post-messages': {
          'href-template': '/v1/queues/{queue_name}/messages',
          'href-vars': queue,
          hints: { allow: ['POST'], formats, 'accept-post': ['application/json'] },
        },
        'rel/claim': {
          'href-template': '/v1/queues/{queue_name}/claims{?limit}',
          'href-vars': { ...queue, limit: 'param/claim_limit' },
          hints: { allow: ['POST'], formats, 'accept-post': ['application/json'] },
        },
      },
    })
  })

  test('of v1.1 lists what v1.1 has', async () => {
    const { resources } = json(await given.client.get('/v1.1/'))
    assert.deepEqual(Object.keys(resources), [
      'rel/queues',
      'rel/queue',
      'rel/queue_stats',
      'rel/messages',
      'rel/post_messages',
      'rel/messages_delete',
      'rel/message_delete',
      'rel/claim',
      'rel/post_claim',
      'rel/patch_claim',
      'rel/delete_claim',
      'rel/ping',
      'rel/pools',
      'rel/pool',
      'rel/flavors',
      'rel/flavor',
      'rel/health',
    ])
    assert.deepEqual(resources['rel/queue'].hints.allow, ['PUT', 'DELETE'])
    assert.equal(resources['rel/claim']['href-template'], '/v1.1/queues/{queue_name}/claims/{claim_id}')
    assert.deepEqual(resources['rel/health'], {
      href: '/v1.1/health',
      hints: { allow: ['GET'], formats: { 'application/json': {} } },
    })
  })

  test('of v1.1 and v2 need a client and a project', async () => {
    for (const prefix of ['/v1.1', '/v2']) {
      assert.equal((await given.client.with({ 'Client-ID': undefined }).get(`${prefix}/`)).status, 400)
      assert.equal((await given.client.with({ 'X-Project-Id': undefined }).get(`${prefix}/`)).status, 400)
    }
  })
})

describe('the routes for operators', () => {
  const ROUTES = ['/v1/pools', '/v1.1/pools', '/v1.1/flavors', '/v1.1/health', '/v2/pools', '/v2/flavors', '/v2/health']
  const relationsOf = async (client: TestClient) =>
    Object.keys(json(await client.get('/v2/')).resources).filter((name) => /pool|flavor|health/.test(name)).length

  test('are with the others', async () => {
    const service = await openInProcess()
    const admin = service.client.with({ 'X-Roles': 'admin' })
    for (const route of ROUTES) assert.equal((await admin.get(route)).status, 200, route)
    assert.equal(await relationsOf(service.client), 5)
    await service.close()
  })

  test('are nowhere without admin_mode', async () => {
    const service = await openInProcess({ OS_DEFAULT__ADMIN_MODE: 'false', OS_HTTP__ADMIN_PORT: '0' })
    const admin = service.client.with({ 'X-Roles': 'admin' })
    for (const route of ROUTES) assert.equal((await admin.get(route)).status, 404, route)
    assert.equal((await admin.get('/v1/health')).status, 204, 'which is no route for operators')
    assert.equal(await relationsOf(service.client), 0)
    assert.equal(service.adminSend, null)
    await service.close()
  })

  test('are only at the listener of their own when there is one, beside all others', async () => {
    const service = await openInProcess({ OS_HTTP__ADMIN_PORT: '0' })
    assert.ok(service.adminSend)
    const admin = new TestClient(service.adminSend, { 'X-Roles': 'admin' })
    for (const route of ROUTES) {
      assert.equal((await service.client.with({ 'X-Roles': 'admin' }).get(route)).status, 404, route)
      assert.equal((await admin.get(route)).status, 200, route)
    }
    assert.equal(await relationsOf(service.client), 0)
    assert.equal(await relationsOf(admin), 5)
    await service.client.put('/v2/queues/jobs')
    assert.equal(json(await admin.get('/v2/queues')).queues.length, 1)
    await service.close()
  })

  test('are for the role admin in every version, though upstream asks for it in v2 only', async () => {
    const service = await openInProcess()
    for (const route of ROUTES.filter((route) => !route.endsWith('/flavors'))) {
      const answer = await service.client.with({ 'X-Roles': 'member' }).get(route)
      assert.equal(answer.status, 403, route)
      assert.equal(json(answer).title, 'Not authorized')
    }
    await service.close()
  })
})

describe('what holds in every version', () => {
  test('are policies, though upstream asks them in v2 only', async () => {
    const file = { '/etc/zaqar/policy.yaml': '"queues:get_all": "role:reader"' }
    const files = { readFile: (path: string) => file[path as keyof typeof file] ?? null }
    const env = { OS_OSLO_POLICY__POLICY_FILE: '/etc/zaqar/policy.yaml' }
    const service = await openInProcess(env, {}, { files: { ...files, listFolder: () => null, stamp: () => '1' } })
    for (const prefix of ['/v1', '/v1.1', '/v2']) {
      assert.equal((await service.client.get(`${prefix}/queues`)).status, 403, prefix)
      assert.ok((await service.client.with({ 'X-Roles': 'reader' }).get(`${prefix}/queues`)).status < 300, prefix)
    }
    await service.close()
  })

  test('is that a project is needed, where the credentials should have one', () => {
    assert.deepEqual(
      allVersions.map(withProjects).map(({ callers }) => callers.needsProject),
      [true, true, true],
    )
  })

  test('are repeated posts and waiting', async () => {
    const service = await openInProcess()
    await service.client.put('/v1/queues/jobs')
    for (const [prefix, body] of [
      ['/v1', [{ ttl: 60, body: 1 }]],
      ['/v1.1', { messages: [{ body: 1 }] }],
    ] as const) {
      const post = () =>
        service.client.post(`${prefix}/queues/jobs/messages`, body, { headers: { 'Idempotency-Key': prefix } })
      assert.equal((await post()).text, (await post()).text)
      const listed = await service.client.get(`${prefix}/queues/jobs/messages?wait=21`)
      assert.equal(json(listed).title, 'Invalid API request')
      const claimed = await service.client.post(`${prefix}/queues/jobs/claims?wait=5`, { ttl: 60, grace: 60 })
      assert.equal(claimed.status, 201)
    }
    await service.close()
  })
})
