import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, describe, test } from 'node:test'
import { authRequest } from '../../src/auth/keystone/auth-request.ts'
import { createKeystoneApi, type KeystoneApi } from '../../src/auth/keystone/keystone-api.ts'
import { keystoneSettings } from '../../src/config/keystone-settings.ts'
import { load } from '../config/memory.ts'

const settingsWith = (options: Record<string, string>) => {
  const variables = Object.entries(options).map(([name, value]) => [`OS_KEYSTONE_AUTHTOKEN__${name}`, value])
  return keystoneSettings(load({ env: Object.fromEntries(variables) }).config.keystone, { readFile: () => null })
}

const TOKEN = JSON.stringify({
  token: {
    expires_at: '2026-03-01T11:00:00.000000Z',
    audit_ids: ['audit-1', 'audit-of-the-first'],
    user: { id: 'u1', name: 'rita', domain: { id: 'd1' } },
    project: { id: 'p1', domain: { id: 'd2' } },
    roles: [{ name: 'Member' }, { name: 'reader' }],
  },
})

describe('Keystone is asked', () => {
  const open: (Server | KeystoneApi)[] = []
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })

  /** A server whose answers a test decides, and the API at it. */
  async function given(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    path = '/v3',
    options = {},
  ) {
    const asked: IncomingMessage[] = []
    const server = createServer((request, response) => {
      asked.push(request)
      answer(request, response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const api = createKeystoneApi(
      settingsWith({ AUTH_URL: `http://127.0.0.1:${port}${path}`, PASSWORD: 'hunter2', ...options }),
    )
    open.push(server, api)
    return { asked, api, validate: () => api.validate('t', { ownToken: 'own', allowExpired: false }) }
  }

  const respond =
    (status: number, text: string, headers = {}) =>
    (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(status, headers).end(text)
    }

  test('at API v3, however its address is given', async () => {
    for (const [path, target] of [
      ['', '/v3/auth/tokens?nocatalog'],
      ['/', '/v3/auth/tokens?nocatalog'],
      ['/v3', '/v3/auth/tokens?nocatalog'],
      ['/v2.0/', '/v3/auth/tokens?nocatalog'],
      ['/identity', '/identity/v3/auth/tokens?nocatalog'],
      ['/identity/v3/', '/identity/v3/auth/tokens?nocatalog'],
    ] as const) {
      const { asked, validate } = await given(respond(200, TOKEN), path)
      await validate()
      assert.equal(asked[0]?.url, target)
    }
  })

  test('with its own token about another, also about one of a restricted application credential', async () => {
    const { asked, validate, api } = await given(respond(200, TOKEN))
    assert.deepEqual(await validate(), {
      identity: {
        project: 'p1',
        roles: ['member', 'reader'],
        userId: 'u1',
        domainId: null,
        userDomainId: 'd1',
        projectDomainId: 'd2',
        systemScope: null,
        serviceRoles: [],
        scope: { signed: null, accessRules: null },
        expiresAt: Date.UTC(2026, 2, 1, 11),
      },
      auditId: 'audit-1',
      length: TOKEN.length,
    })
    const headers = asked[0]?.headers
    assert.deepEqual([headers?.['x-auth-token'], headers?.['x-subject-token']], ['own', 't'])
    assert.equal(headers?.['openstack-identity-access-rules'], '1')
    await api.validate('t', { ownToken: 'own', allowExpired: true })
    assert.equal(asked[1]?.url, '/v3/auth/tokens?nocatalog&allow_expired=1')
  })

  test('again when the connection broke', async () => {
    let left = 2
    const { asked, validate } = await given((request, response) => {
      if (left-- > 0) request.socket.destroy()
      else response.end(TOKEN)
    })
    assert.ok(await validate())
    assert.equal(asked.length, 3)
  })

  test('but not for ever', async () => {
    const { asked, validate } = await given((request) => request.socket.destroy(), '/v3', {
      HTTP_REQUEST_MAX_RETRIES: '1',
    })
    await assert.rejects(validate(), { name: 'KeystoneUnavailable' })
    assert.equal(asked.length, 2)
  })

  test('once when it does not answer in time', async () => {
    const { asked, validate } = await given(() => {}, '/v3', { HTTP_CONNECT_TIMEOUT: '1' })
    await assert.rejects(validate(), { name: 'KeystoneUnavailable' })
    assert.equal(asked.length, 1)
  })

  const answers: readonly (readonly [status: number, text: string, meaning: string])[] = [
    [404, '{}', 'invalid'],
    [400, '{}', 'invalid'],
    [401, '{}', 'unauthorized'],
    [403, '{}', 'KeystoneUnavailable'],
    [500, '', 'KeystoneUnavailable'],
    [200, 'no JSON', 'KeystoneUnavailable'],
    [200, '{}', 'KeystoneUnavailable'],
    [200, 'null', 'KeystoneUnavailable'],
    [200, '{"token": {"user": {"id": "u"}, "expires_at": "never"}}', 'KeystoneUnavailable'],
    [200, TOKEN.padEnd(2_000_000), 'KeystoneUnavailable'],
    [302, '', 'KeystoneUnavailable'],
  ]
  for (const [status, text, meaning] of answers) {
    test(`and answers ${status} ${text.slice(0, 20)}: ${meaning}`, async () => {
      const { validate } = await given(respond(status, text, { Location: 'http://127.0.0.1:9/' }), '/v3', {
        HTTP_REQUEST_MAX_RETRIES: '0',
      })
      if (meaning === 'KeystoneUnavailable') await assert.rejects(validate(), { name: meaning })
      else assert.equal(await validate(), meaning)
    })
  }

  const CATALOGUE = '{"catalog": [{"name": "zaqar", "endpoints": []}], "links": {}}'
  for (const [status, text, meaning] of [
    [200, CATALOGUE, [{ name: 'zaqar', endpoints: [] }]],
    [401, '{}', 'unauthorized'],
    [403, '{}', []],
    [404, '{}', 'KeystoneUnavailable'],
    [500, '', 'KeystoneUnavailable'],
    [200, 'no JSON', 'KeystoneUnavailable'],
    [200, 'null', 'KeystoneUnavailable'],
    [200, '{"catalog": 1}', 'KeystoneUnavailable'],
  ] as const) {
    test(`for the catalogue, and answers ${status} ${text.slice(0, 20)}: ${JSON.stringify(meaning)}`, async () => {
      const { asked, api } = await given(respond(status, text))
      if (meaning === 'KeystoneUnavailable') await assert.rejects(api.catalogue('own'), { name: meaning })
      else assert.deepEqual(await api.catalogue('own'), meaning)
      assert.deepEqual([asked[0]?.url, asked[0]?.headers['x-auth-token']], ['/v3/auth/catalog', 'own'])
    })
  }

  test('for a token of its own; a refusal does not give the password away', async () => {
    const { api } = await given(respond(201, TOKEN, { 'X-Subject-Token': 'mine' }))
    assert.equal((await api.issue()).id, 'mine')
    const refused = await given(respond(401, '{"error": "no"}'))
    await assert.rejects(refused.api.issue(), (error: Error) => {
      assert.match(error.message, /answers 401/)
      assert.doesNotMatch(String(error.stack), /hunter2/)
      return true
    })
  })
})

describe('the server authenticates', () => {
  const domain = { id: 'default' }
  const cases: readonly (readonly [name: string, options: Record<string, string>, auth: object])[] = [
    [
      'by names, in the first domain where none is named',
      { USERNAME: 'z', PASSWORD: 'p', PROJECT_NAME: 's' },
      {
        identity: { methods: ['password'], password: { user: { name: 'z', domain, password: 'p' } } },
        scope: { project: { name: 's', domain } },
      },
    ],
    [
      'by names in the domains that are named for want of others',
      { USERNAME: 'z', PASSWORD: 'p', PROJECT_NAME: 's', DEFAULT_DOMAIN_NAME: 'D', PROJECT_DOMAIN_ID: 'e' },
      {
        identity: { methods: ['password'], password: { user: { name: 'z', domain: { name: 'D' }, password: 'p' } } },
        scope: { project: { name: 's', domain: { id: 'e' } } },
      },
    ],
    [
      'by ids',
      { USER_ID: 'u', PASSWORD: 'p', PROJECT_ID: 'q' },
      {
        identity: { methods: ['password'], password: { user: { id: 'u', password: 'p' } } },
        scope: { project: { id: 'q' } },
      },
    ],
    [
      'for the whole system',
      { USER_ID: 'u', PASSWORD: 'p', SYSTEM_SCOPE: 'all' },
      {
        identity: { methods: ['password'], password: { user: { id: 'u', password: 'p' } } },
        scope: { system: { all: true } },
      },
    ],
    [
      'for a domain',
      { USER_ID: 'u', PASSWORD: 'p', DOMAIN_NAME: 'D' },
      {
        identity: { methods: ['password'], password: { user: { id: 'u', password: 'p' } } },
        scope: { domain: { name: 'D' } },
      },
    ],
    [
      'by an application credential, which has a project of its own',
      {
        AUTH_TYPE: 'v3applicationcredential',
        APPLICATION_CREDENTIAL_ID: 'a',
        APPLICATION_CREDENTIAL_SECRET: 's',
        PROJECT_NAME: 'ignored',
      },
      { identity: { methods: ['application_credential'], application_credential: { id: 'a', secret: 's' } } },
    ],
    [
      'by the name of an application credential',
      {
        AUTH_TYPE: 'v3applicationcredential',
        APPLICATION_CREDENTIAL_NAME: 'a',
        APPLICATION_CREDENTIAL_SECRET: 's',
        USERNAME: 'z',
        USER_DOMAIN_NAME: 'D',
      },
      {
        identity: {
          methods: ['application_credential'],
          application_credential: { name: 'a', user: { name: 'z', domain: { name: 'D' } }, secret: 's' },
        },
      },
    ],
  ]
  for (const [name, options, auth] of cases) {
    test(name, () => assert.deepEqual(authRequest(settingsWith(options)), { auth }))
  }
})
