/** A real Keystone says where subscribers reach the service. (contract notifications.md 5) */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { CatalogueEndpoints } from '../../packages/server/src/auth/keystone/catalogue-endpoints.ts'
import { createKeystoneApi, type KeystoneApi } from '../../packages/server/src/auth/keystone/keystone-api.ts'
import { keystoneSettings } from '../../packages/server/src/config/keystone-settings.ts'
import { load } from '../../packages/server/test/config/memory.ts'
import { missingPeer } from '../support/peers.ts'
import { asVariables, authtoken, type Cloud, startCloud } from './cloud.ts'

describe('the catalogue of Keystone', { skip: missingPeer('keystone') || missingPeer('uwsgi') }, () => {
  let cloud: Cloud
  let api: KeystoneApi
  before(async () => {
    cloud = await startCloud()
    const { config } = load({ env: asVariables(authtoken(cloud)) })
    api = createKeystoneApi(keystoneSettings(config.keystone, { readFile: () => null }))
  })
  after(async () => {
    await api?.close()
    await cloud?.keystone.destroy()
  })

  test('names the service once it is announced there, which is seen within five minutes', async () => {
    const clock = new ManualClock(Date.now())
    const endpoints = new CatalogueEndpoints(api, clock)
    assert.deepEqual(await endpoints.get(), { http: null, webSocket: null })
    await cloud.announce('https://cloud.example/messaging')
    clock.advance(300_000)
    assert.deepEqual(await endpoints.get(), { http: 'https://cloud.example/messaging', webSocket: null })
  })
})
