import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StorageUnavailable } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { KEYSTONE } from '../support/keystone-settings.ts'
import { startStandInKeystone } from '../support/stand-in-keystone.ts'
import type { Send } from '../support/test-client.ts'

const TOKEN = 'a token that only Prometheus knows'.replaceAll(' ', '-')
const EXPOSED = { OS_DRIVERS_TRANSPORT_WSGI__BIND: '0.0.0.0', OS_HTTP__EXPOSE_WITHOUT_AUTHENTICATION: 'true' }

async function serving(env: Record<string, string>, look: (service: InProcessService) => Promise<void>): Promise<void> {
  const service = await openInProcess(env)
  try {
    await look(service)
  } finally {
    await service.close()
  }
}

function get(send: Send | null, target: string, headers: Record<string, string> = {}) {
  assert.ok(send)
  return send({ method: 'GET', target, headers, body: undefined })
}

const status = async (send: Send | null, headers: Record<string, string> = {}) =>
  (await get(send, '/metrics', headers)).status

describe('/metrics', () => {
  test('is open where everybody who reaches the service may do everything', () =>
    serving({}, async ({ send }) => {
      const { status, headers, text } = await get(send, '/metrics')
      assert.equal(status, 200)
      assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
      assert.match(text, /^# HELP zaqar_claims_total .*\n# TYPE zaqar_claims_total counter\n/m)
    }))

  test('is shown to no page of another origin where nobody is asked who he is', () =>
    serving({}, async ({ send }) => {
      assert.equal(await status(send, { Origin: 'https://evil.example', Host: '127.0.0.1:8888' }), 403)
      assert.equal(await status(send, { Host: 'evil.example' }), 403)
      const { text } = await get(send, '/metrics')
      assert.match(text, /^zaqar_requests_refused_total\{reason="page"\} 2$/m)
    }))

  test('is closed on an address that other machines reach, whatever role somebody asserts of himself', () =>
    serving(EXPOSED, async ({ send }) => {
      const answer = await get(send, '/metrics', { 'X-Roles': 'admin', 'X-Project-ID': 'p' })
      assert.equal(answer.status, 401)
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="metrics"')
      assert.match(answer.text, /\[metrics\] scrape_token/)
    }))

  test('is open there to who shows the token, and where there is a token to nobody else', async () => {
    const rows: [string, number][] = [
      [`Bearer ${TOKEN}`, 200],
      [`bearer   ${TOKEN} `, 200],
      [`Bearer ${TOKEN}x`, 401],
      [`Bearer ${TOKEN.slice(0, -1)}`, 401],
      [`Basic ${TOKEN}`, 401],
      ['Bearer', 401],
      ['', 401],
    ]
    for (const env of [{}, EXPOSED]) {
      await serving({ ...env, OS_METRICS__SCRAPE_TOKEN: TOKEN }, async ({ send }) => {
        for (const [authorization, expected] of rows) {
          assert.equal(await status(send, { authorization }), expected, authorization)
        }
        assert.equal(await status(send), 401)
      })
    }
  })

  test('takes an empty token for none', () =>
    serving({ ...EXPOSED, OS_METRICS__SCRAPE_TOKEN: '' }, async ({ send }) => {
      assert.equal(await status(send, { authorization: 'Bearer ' }), 401)
    }))

  test('is at the listener of operators alone, where there is one', () =>
    serving({ OS_HTTP__ADMIN_PORT: '0' }, async ({ send, adminSend }) => {
      assert.equal(await status(send), 404)
      assert.equal(await status(adminSend), 200)
    }))

  test('is open at that listener on a loopback address also with Keystone, which its neighbour is not', () =>
    serving({ ...KEYSTONE, OS_HTTP__ADMIN_PORT: '0' }, async ({ send, adminSend }) => {
      assert.equal(await status(send), 401)
      assert.equal(await status(adminSend), 200)
    }))

  test('wants a token or the role admin with Keystone, also on a loopback address: a proxy may stand before it', () =>
    serving({ ...KEYSTONE, OS_METRICS__SCRAPE_TOKEN: TOKEN }, async ({ send }) => {
      assert.equal(await status(send), 401)
      assert.equal(await status(send, { 'X-Roles': 'admin', 'X-Project-ID': 'p' }), 401)
      assert.equal(await status(send, { authorization: `Bearer ${TOKEN}` }), 200)
    }))

  test('is open with Keystone to whom the policy lets in, by default to the role admin', async () => {
    const token = (role: string) => ({
      expires_at: new Date(Date.UTC(2026, 2, 1, 11)).toISOString(),
      audit_ids: [role],
      user: { id: 'u' },
      project: { id: 'p' },
      roles: [{ name: role }],
    })
    const keystone = await startStandInKeystone({
      own: token('service'),
      of_admin: token('admin'),
      of_member: token('member'),
    })
    await serving({ ...KEYSTONE, OS_KEYSTONE_AUTHTOKEN__AUTH_URL: keystone.url }, async ({ send }) => {
      const rows: [string, number][] = [
        ['of_admin', 200],
        ['of_member', 403],
        ['of_nobody', 401],
      ]
      for (const [name, expected] of rows) assert.equal(await status(send, { 'X-Auth-Token': name }), expected, name)
      // A signed URL is for a queue, whoever has signed it.
      assert.equal(await status(send, { 'X-Auth-Token': 'of_member', 'URL-Signature': 'x' }), 403)
    })
    keystone.close()
  })

  test('speaks OpenMetrics to who prefers it', () =>
    serving({}, async ({ send }) => {
      const accept = 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
      const { headers, text } = await get(send, '/metrics?name=any', { accept })
      assert.equal(headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8')
      assert.match(text, /^# TYPE zaqar_claims counter$/m)
      assert.match(text, /\n# EOF\n$/)
    }))

  test('is there to be read only', () =>
    serving({}, async ({ send }) => {
      const answer = await send({ method: 'POST', target: '/metrics', headers: {}, body: undefined })
      assert.deepEqual([answer.status, answer.headers['allow']], [405, 'GET, HEAD'])
    }))
})

describe('what is counted of requests', () => {
  const samplesOf = async ({ send }: InProcessService, name: string) => {
    const { text } = await get(send, '/metrics')
    return text.split('\n').filter((line) => line.startsWith(name) && !line.endsWith(' 0'))
  }

  test('is what they are for, by which door they came, and what became of them', () =>
    serving({}, async (service) => {
      const { client } = service
      await client.post('/v2/queues/q/messages', { messages: [{ body: 1 }, { body: 2 }] })
      await client.post('/v2/queues/q/messages', { messages: [] })
      await client.post('/v1.1/queues/q/claims', { ttl: 60, grace: 60 })
      await client.get('/v2/nowhere')
      await client.get('/v2')
      assert.deepEqual(await samplesOf(service, 'zaqar_requests_total'), [
        'zaqar_requests_total{operation="messages.post",door="v2",status="201"} 1',
        'zaqar_requests_total{operation="messages.post",door="v2",status="400"} 1',
        'zaqar_requests_total{operation="claims.create",door="v1.1",status="201"} 1',
        'zaqar_requests_total{operation="none",door="none",status="404"} 2',
      ])
      assert.deepEqual(await samplesOf(service, 'zaqar_request_duration_seconds_count'), [
        'zaqar_request_duration_seconds_count{operation="messages.post"} 2',
        'zaqar_request_duration_seconds_count{operation="claims.create"} 1',
        'zaqar_request_duration_seconds_count{operation="none"} 2',
      ])
      assert.deepEqual(await samplesOf(service, 'zaqar_messages_'), [
        'zaqar_messages_posted_total 2',
        'zaqar_messages_claimed_total 2',
      ])
      assert.deepEqual(await samplesOf(service, 'zaqar_claims_total'), ['zaqar_claims_total 1'])
    }))
})

describe('whether the service lives and is ready', () => {
  const pages = async ({ send }: Pick<InProcessService, 'send'>) => {
    const [live, ready] = await Promise.all(['/livez', '/readyz'].map((target) => get(send, target)))
    return [live?.status, live?.text, ready?.status, ready?.text]
  }

  test('is told to everybody, also where callers have to show who they are', () =>
    serving(KEYSTONE, async (service) => {
      assert.deepEqual(await pages(service), [200, 'alive\n', 200, 'ready\n'])
    }))

  test('is told apart when it drains', () =>
    serving({}, async (service) => {
      service.readiness.drain()
      assert.deepEqual(await pages(service), [200, 'alive\n', 503, 'not ready: the service is about to end\n'])
    }))

  test('is told apart when the storage does not answer, which is asked once a second at most', async () => {
    let isAway = false
    let pings = 0
    const service = await openInProcess(
      {},
      {
        async openStorage(clock) {
          const storage = await openSqlite({ path: ':memory:', clock })
          const ping = async () => {
            pings += 1
            if (isAway) throw new StorageUnavailable('away')
          }
          return { ...storage, ping }
        },
      },
    )
    for (let i = 0; i < 5; i++) assert.equal((await get(service.send, '/readyz')).status, 200)
    isAway = true
    assert.equal((await get(service.send, '/readyz')).status, 200)
    assert.equal(pings, 1)
    service.clock.advance(1000)
    assert.deepEqual(await pages(service), [200, 'alive\n', 503, 'not ready: the storage does not answer\n'])
    await service.close()
  })
})
