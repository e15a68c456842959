import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type KeystoneAuth, Unauthenticated, Zaqar } from 'zaqar-client/http'
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
    // Not remembered, so that a token that is revoked is refused at once.
    const lines = Object.entries(authtoken(cloud, { token_cache_time: '-1' })).map(
      ([name, value]) => `${name} = ${value}`,
    )
    zaqar = await startService({
      config: [
        '[DEFAULT]\nauth_strategy = keystone\npooling = true',
        '[pooling:catalog]\nenable_virtual_pool = true',
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

  describe('zaqar-client', () => {
    /** A client that finds the service in the catalogue, and the tokens that it was given. */
    function withTokens(auth: Omit<KeystoneAuth, 'authUrl'>): { client: Zaqar; tokens: string[] } {
      const tokens: string[] = []
      const noting: typeof fetch = async (input, init) => {
        const answer = await fetch(input, init)
        const token = answer.headers.get('x-subject-token')
        if (token !== null) tokens.push(token)
        return answer
      }
      const client = new Zaqar({ auth: { keystone: { ...auth, authUrl: cloud.keystone.url } }, fetch: noting })
      return { client, tokens }
    }

    async function revoke(token: string | undefined): Promise<void> {
      const admin = await cloud.keystone.adminToken()
      await cloud.keystone.ask(admin, 'DELETE', '/auth/tokens', undefined, { 'X-Subject-Token': token })
    }

    const rita = { user: { name: 'rita' }, password: PASSWORD, project: { name: 'red' } }

    test('with a password works in its project, and asks once for a token that was revoked', async () => {
      const { client, tokens } = withTokens(rita)
      const jobs = client.queue('of-password')
      await jobs.post('a')
      assert.equal(tokens.length, 1)
      await revoke(tokens[0])
      const lists = await Promise.all([jobs.list(), jobs.list(), jobs.list()])
      assert.deepEqual(
        lists.map(({ messages }) => messages.map(({ body }) => body)),
        [['a'], ['a'], ['a']],
      )
      assert.equal(tokens.length, 2)
      const theirs = withTokens({ ...rita, user: { name: 'bob' }, project: { name: 'blue' } })
      assert.deepEqual((await theirs.client.queue('of-password').list()).messages, [])
    })

    test('with an application credential works in the project of that, until it is taken away', async () => {
      const token = await cloud.token('rita', 'red')
      const { id, secret } = await cloud.keystone.newCredential(token, { name: 'worker' })
      const { client, tokens } = withTokens({ applicationCredential: { id, secret } })
      await client.queue('of-credential').post('a')
      const { user } = await cloud.keystone.show(token)
      await cloud.keystone.ask(token, 'DELETE', `/users/${user.id}/application_credentials/${id}`)
      await assert.rejects(client.queue('of-credential').list(), Unauthenticated)
      assert.equal(tokens.length, 1)
    })

    test('with a wrong password, or of whom the catalogue hides the service, says so', async () => {
      const wrong = withTokens({ ...rita, password: 'wrong' })
      await assert.rejects(wrong.client.queue('jobs').list(), Unauthenticated)
      const elsewhere = withTokens({ ...rita, region: 'elsewhere' })
      await assert.rejects(elsewhere.client.queue('jobs').list(), /lists no public messaging service/)
    })
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

  test('the panels of Horizon for pools and flavors', async (t) => {
    if (!requirePeer(t, 'zaqar-ui') || !requirePeer(t, 'python-zaqarclient')) return
    const uris = ['east', 'west'].map((name) => `sqlite:${zaqar.dataDir}/of-horizon-${name}.db`)
    await runTests('horizon_pools.py', { ZAQAR_POOL_URIS: uris.join(' ') })
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
