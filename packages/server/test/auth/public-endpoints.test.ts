/** Where subscribers reach the service: as configured, or as Keystone says. (contract notifications.md 5) */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { openAccess } from '../../src/access.ts'
import { CatalogueEndpoints } from '../../src/auth/keystone/catalogue-endpoints.ts'
import type { CatalogueService } from '../../src/auth/keystone/keystone-api.ts'
import { KeystoneUnavailable } from '../../src/auth/keystone/keystone-connection.ts'
import { readToken } from '../../src/auth/keystone/token-document.ts'
import { load, problemsOf } from '../config/memory.ts'
import { KEYSTONE } from '../support/keystone-settings.ts'

const START = Date.UTC(2026, 2, 1, 10)
const token = readToken(
  JSON.stringify({ token: { expires_at: '2026-03-01T12:00:00Z', user: { id: 'zaqar' } } }),
  'messaging',
)

describe('the catalogue of Keystone', () => {
  let clock: ManualClock
  let catalogue: readonly CatalogueService[] | 'away'
  let asked: string[]
  /** Tokens that Keystone has forgotten. */
  let revoked: string[]
  let issued: number
  let endpoints: CatalogueEndpoints
  beforeEach(() => {
    clock = new ManualClock(START)
    catalogue = []
    asked = []
    revoked = []
    issued = 0
    const api = {
      async issue() {
        assert.ok(token)
        return { id: `own ${++issued}`, token }
      },
      async catalogue(ownToken: string) {
        asked.push(ownToken)
        if (catalogue === 'away') throw new KeystoneUnavailable('away')
        return revoked.includes(ownToken) ? ('unauthorized' as const) : catalogue
      },
    }
    endpoints = new CatalogueEndpoints(api, clock)
  })

  const service = (name: string, ...urls: readonly (readonly [where: string, url: string])[]): CatalogueService => ({
    name,
    endpoints: urls.map(([where, url]) => ({ interface: where, url })),
  })

  test('names the public endpoints of zaqar and zaqar-websocket, fit for a path', async () => {
    catalogue = [
      service('keystone', ['public', 'http://keystone.example']),
      service('zaqar', ['internal', 'http://10.0.0.1'], ['public', 'https://cloud.example/messaging/v2/']),
      service('zaqar-websocket', ['admin', 'ws://10.0.0.1'], ['public', 'wss://cloud.example:9000/']),
    ]
    assert.deepEqual(await endpoints.get(), {
      http: 'https://cloud.example/messaging',
      webSocket: 'wss://cloud.example:9000',
    })
  })

  test('may name neither', async () => {
    assert.deepEqual(await endpoints.get(), { http: null, webSocket: null })
    clock.advance(300_000)
    catalogue = [{ name: 'zaqar' }, {}, service('zaqar-websocket', ['public', ''])]
    assert.deepEqual(await endpoints.get(), { http: null, webSocket: null })
  })

  test('is believed for five minutes, and asked once by all who want to know', async () => {
    catalogue = [service('zaqar', ['public', 'http://a'])]
    await Promise.all([endpoints.get(), endpoints.get()])
    catalogue = [service('zaqar', ['public', 'http://b'])]
    clock.advance(299_999)
    assert.equal((await endpoints.get()).http, 'http://a')
    assert.equal(asked.length, 1)
    clock.advance(1)
    assert.equal((await endpoints.get()).http, 'http://b')
    assert.equal(asked.length, 2)
  })

  test('is asked again after it could not be had', async () => {
    catalogue = 'away'
    await assert.rejects(endpoints.get(), { name: 'KeystoneUnavailable' })
    catalogue = [service('zaqar', ['public', 'http://a'])]
    assert.equal((await endpoints.get()).http, 'http://a')
  })

  test('is shown for another token when that of the service was revoked, and not for ever', async () => {
    revoked = ['own 1']
    catalogue = [service('zaqar', ['public', 'http://a'])]
    assert.equal((await endpoints.get()).http, 'http://a')
    assert.deepEqual(asked, ['own 1', 'own 2'])
    clock.advance(300_000)
    revoked = ['own 2', 'own 3']
    await assert.rejects(endpoints.get(), { name: 'KeystoneUnavailable' })
  })
})

describe('an address that is configured', () => {
  const endpointsWith = async (env: Record<string, string>) => {
    const access = openAccess({
      config: load({ env }).config,
      folders: [],
      files: { readFile: () => null, listFolder: () => null, stamp: () => null },
      clock: { now: () => START, at: () => ({ cancel() {} }) },
      reports: { warned() {}, reloaded() {}, refused() {} },
      installationKey: () => 'k',
      onTrouble() {},
    })
    try {
      return await access.publicEndpoints()
    } finally {
      await access.close()
    }
  }
  const url = { OS_NOTIFICATION__PUBLIC_URL: 'https://cloud.example/messaging/' }

  test('counts, and Keystone is not asked then', async () => {
    const http = 'https://cloud.example/messaging'
    assert.deepEqual(await endpointsWith({ ...KEYSTONE, ...url }), { http, webSocket: null })
    const both = { ...url, OS_NOTIFICATION__PUBLIC_WEBSOCKET_URL: 'wss://cloud.example:9000' }
    assert.deepEqual(await endpointsWith(both), { http, webSocket: 'wss://cloud.example:9000' })
    await assert.rejects(endpointsWith(KEYSTONE), { name: 'KeystoneUnavailable' })
  })

  test('need not be there', async () => {
    assert.deepEqual(await endpointsWith({}), { http: null, webSocket: null })
  })

  test('begins as an address of its kind does', () => {
    for (const [name, value] of [
      ['PUBLIC_URL', 'cloud.example'],
      ['PUBLIC_URL', 'ws://cloud.example'],
      ['PUBLIC_WEBSOCKET_URL', 'http://cloud.example'],
      ['EXTERNAL_CONFIRMATION_URL', 'javascript:alert(1)'],
    ] as const) {
      const [problem = '', ...others] = problemsOf({ env: { [`OS_NOTIFICATION__${name}`]: value } })
      assert.match(problem, /an address that begins with/)
      assert.deepEqual(others, [])
    }
  })
})
