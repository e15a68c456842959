import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { execute } from '../clients/run-python.ts'
import { missingPeer, requirePeer } from '../support/peers.ts'
import { type Service, startService } from '../support/service.ts'
import { authtoken, type Cloud, PASSWORD, startCloud } from './cloud.ts'

/** As a person has it in a shell; who that is comes with the command. */
function environment({ keystone }: Cloud): Record<string, string> {
  return {
    OS_AUTH_URL: keystone.url,
    OS_IDENTITY_API_VERSION: '3',
    OS_PASSWORD: PASSWORD,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_NAME: 'red',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    PYTHONWARNINGS: 'ignore',
  }
}

describe('clients with tokens that they get themselves:', {
  skip: missingPeer('keystone') || missingPeer('uwsgi'),
}, () => {
  let cloud: Cloud
  let zaqar: Service

  before(async () => {
    cloud = await startCloud()
    const lines = Object.entries(authtoken(cloud)).map(([name, value]) => `${name} = ${value}`)
    zaqar = await startService({
      config: [
        '[DEFAULT]\nauth_strategy = keystone',
        `[keystone_authtoken]\n${lines.join('\n')}`,
        '[signed_url]\nsecret_key = s3cret',
        '[policy]\ndefault_rules = personas\n',
      ].join('\n'),
    })
    await cloud.announce(zaqar.url)
  })

  after(async () => {
    await zaqar?.stop()
    await cloud?.keystone.destroy()
  })

  async function runTests(file: string, env: Record<string, string>): Promise<void> {
    const path = fileURLToPath(new URL(file, import.meta.url))
    const output = await execute('/usr/bin/python3', ['-B', path], { ...environment(cloud), ...env })
    assert.match(output, /^Ran [1-9]\d* tests? in .*\n\nOK\n$/m, output)
  }

  test('python-zaqarclient', async (t) => {
    if (requirePeer(t, 'python-zaqarclient')) await runTests('zaqarclient_keystone.py', { ZAQAR_URL: zaqar.url })
  })

  test('python3-websocket, with a token and with signed values', async (t) => {
    if (!requirePeer(t, 'websocket') || !requirePeer(t, 'msgpack')) return
    const token = await cloud.token('rita', 'red')
    const shared = await fetch(`${zaqar.url}/v2/queues/kit/share`, {
      method: 'POST',
      headers: { 'X-Auth-Token': token, 'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c' },
      body: '{"methods": ["GET", "POST"]}',
    })
    await runTests('../clients/websocket_client.py', {
      ZAQAR_URL: zaqar.url,
      ZAQAR_TOKEN: token,
      ZAQAR_PROJECT: cloud.projects.red,
      ZAQAR_SIGNED: await shared.text(),
    })
  })

  describe('openstack messaging', () => {
    test('lists the queues of the project', async (t) => {
      if (!requirePeer(t, 'openstackclient') || !requirePeer(t, 'python-zaqarclient')) return
      const openstack = (user: string, ...args: readonly string[]) =>
        execute('/usr/bin/openstack', [...args], { ...environment(cloud), OS_USERNAME: user })
      await openstack('rita', 'messaging', 'queue', 'create', 'from-openstack')
      assert.match(await openstack('rex', 'messaging', 'queue', 'list'), /from-openstack/)
      await openstack('rita', 'messaging', 'queue', 'delete', 'from-openstack')
    })

    test('has no command that does not work', async (t) => {
      if (!requirePeer(t, 'openstackclient') || !requirePeer(t, 'python-zaqarclient')) return
      await runTests('openstack_messaging.py', { RED: cloud.projects.red, ZAQAR_DATA_DIR: zaqar.dataDir })
    })
  })
})
