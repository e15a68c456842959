import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { KeystoneTrusts } from '../../packages/server/src/auth/keystone/trusts.ts'
import { keystoneSettings } from '../../packages/server/src/config/keystone-settings.ts'
import { trusteeSettings } from '../../packages/server/src/config/trustee-settings.ts'
import { TrustGone } from '../../packages/server/src/core/trusts.ts'
import { json } from '../../packages/server/test/support/answers.ts'
import { type InProcessService, openInProcess } from '../../packages/server/test/support/in-process.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { missingPeer } from '../support/peers.ts'
import { startReceiver } from '../support/receiver.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { startService } from '../support/service.ts'
import { asVariables, authtoken, type Cloud, PASSWORD, startCloud } from './cloud.ts'
import { Keystone } from './keystone.ts'

const JOBS = '/v2/queues/jobs/subscriptions'
/** A service of the cloud, and another address of it. */
const NOVA = 'trust+https://nova.cloud.example:8774/v2.1/servers'
const GLANCE = 'trust+https://nova.cloud.example:8774/v2.1/images'
const PLAIN = 'https://receiver.example/hook'
const NEVER = new AbortController().signal

describe('trusts of Keystone', { skip: missingPeer('keystone') || missingPeer('uwsgi') }, () => {
  let cloud: Cloud
  let service: InProcessService
  let tokens: KeystoneTrusts
  let rita: TestClient
  let ada: TestClient
  /** Ids of users. */
  const ids: Record<string, string> = {}

  before(async () => {
    cloud = await startCloud()
    await cloud.announce('https://nova.cloud.example:8774/v2.1/')
    const trustee = {
      OS_TRUSTEE__USERNAME: 'zaqar',
      OS_TRUSTEE__PASSWORD: PASSWORD,
      OS_TRUSTEE__USER_DOMAIN_ID: 'default',
      OS_TRUSTEE__ALLOWED_HOSTS: 'Listed.example, other.example:8080',
      OS_SIGNED_URL__SECRET_KEY: 'a key for urls',
    }
    service = await openInProcess({ ...asVariables(authtoken(cloud)), ...trustee })
    // Keystone makes no trusts that have expired.
    service.clock.moveTo(Date.now())
    tokens = trustsOf(trusteeOf(service))
    const as = async (person: 'rita' | 'ada') => {
      const token = await cloud.token(person, 'red')
      ids[person] = (await cloud.keystone.show(token)).user.id
      return service.client.with({ 'X-Project-Id': undefined, 'X-Auth-Token': token })
    }
    rita = await as('rita')
    ada = await as('ada')
  })

  after(async () => {
    await tokens?.close()
    await service?.close()
    await cloud?.keystone.destroy()
  })

  function trusteeOf({ config }: InProcessService) {
    const settings = trusteeSettings(config.trustee, keystoneSettings(config.keystone, { readFile: () => null }))
    assert.ok(settings)
    return settings
  }

  function trustsOf(settings: ReturnType<typeof trusteeOf>) {
    return new KeystoneTrusts({ settings, allowedHosts: [], clock: service.clock, onTrouble: assert.ifError })
  }

  /** Of all trusts that Keystone knows of that person, the ids. */
  async function known(person = 'rita'): Promise<string[]> {
    const path = `/OS-TRUST/trusts?trustor_user_id=${ids[person]}`
    const { trusts } = await cloud.keystone.ask(await cloud.token(person as 'rita', 'red'), 'GET', path)
    return trusts.map(({ id }: { id: string }) => id)
  }

  async function ended(trustId: string, person = 'rita'): Promise<void> {
    await until(async () => !(await known(person)).includes(trustId), 'the trust was not ended')
  }

  /** A subscription of Rita, and the trust that it names. */
  async function subscribe(subscriber = NOVA, more: object = {}, path = JOBS) {
    const answer = await rita.post(path, { subscriber, ttl: 600, ...more })
    assert.equal(answer.status, 201, answer.text)
    const item = `${path}/${json(answer).subscription_id}`
    return { item, trustId: await trustIn(item) }
  }

  async function trustIn(item: string): Promise<string> {
    return json(await rita.get(item)).options.trust_id
  }

  /** Keystone tells whole seconds. */
  function assertExpires(trust: { expires_at: string }, seconds: number): void {
    assert.equal(Date.parse(trust.expires_at), Math.trunc(service.clock.now() / 1000 + seconds) * 1000)
  }

  /** Whoever has a URL that Rita has signed, for requests about subscriptions. */
  async function signed(method: string): Promise<TestClient> {
    const answer = await rita.post('/v2/queues/jobs/share', { paths: ['subscriptions'], methods: [method] })
    const { signature, paths, methods, expires, project } = json(answer)
    return service.client.with({
      'URL-Signature': signature,
      'URL-Paths': paths.join(','),
      'URL-Methods': methods.join(','),
      'URL-Expires': expires,
      'X-Project-Id': project,
    })
  }

  /** The file of a service as a process of its own. */
  function configuration(trustee: Readonly<Record<string, string>>): string {
    const lines = (options: Readonly<Record<string, string>>) =>
      Object.entries(options).map(([name, value]) => `${name} = ${value}`)
    return [
      '[DEFAULT]\nauth_strategy = keystone',
      '[keystone_authtoken]',
      ...lines(authtoken(cloud)),
      '[trustee]',
      ...lines({ username: 'zaqar', password: PASSWORD, user_domain_id: 'default', ...trustee }),
    ].join('\n')
  }

  const refused = async (answer: Promise<{ status: number; text: string }>, status: number, pattern: RegExp) => {
    const { status: given, text } = await answer
    assert.equal(given, status, text)
    assert.match(text, pattern)
  }

  test('whoever asks for the subscription makes one, for his project, with his roles, as long as it lives', async () => {
    const { item, trustId } = await subscribe(NOVA, { options: { post_data: '{}', n: 1.0 } })
    assert.deepEqual(json(await rita.get(item)).options, { post_data: '{}', n: 1, trust_id: trustId })
    const { trust } = await cloud.keystone.ask(await cloud.token('rita', 'red'), 'GET', `/OS-TRUST/trusts/${trustId}`)
    assert.equal(trust.trustor_user_id, ids['rita'])
    assert.equal(trust.project_id, cloud.projects.red)
    assert.equal(trust.impersonation, true)
    assert.equal(trust.redelegation_count, 0)
    assert.deepEqual(trust.roles.map(({ name }: { name: string }) => name).sort(), ['member', 'reader'])
    assertExpires(trust, 600)
    await rita.delete(item)
    await ended(trustId)
  })

  test('the token that the trustee gets of it is good in the name of its maker', async () => {
    const { item, trustId } = await subscribe()
    const token = await tokens.token(trustId, NEVER)
    const document = await cloud.keystone.ask(await cloud.keystone.adminToken(), 'GET', '/auth/tokens', undefined, {
      'X-Subject-Token': token,
    })
    assert.equal(document.token.user.id, ids['rita'])
    assert.equal(document.token.project.id, cloud.projects.red)
    assert.equal(document.token['OS-TRUST:trust'].id, trustId)
    assert.equal(await tokens.token(trustId, NEVER), token)
    tokens.refresh(trustId)
    assert.notEqual(await tokens.token(trustId, NEVER), token)
    await rita.delete(item)
    await ended(trustId)
    tokens.refresh(trustId)
    await assert.rejects(tokens.token(trustId, NEVER), TrustGone)
  })

  test('it ends with the subscription, whoever deletes that, and however', async () => {
    const ends: ((item: string) => Promise<unknown>)[] = [
      (item) => ada.delete(item),
      async (item) => (await signed('DELETE')).delete(item),
      () => ada.post('/v2/queues/jobs/purge', { resource_types: ['subscriptions'] }),
      () => ada.delete('/v2/queues/jobs'),
    ]
    for (const end of ends) {
      const { item, trustId } = await subscribe()
      assert.ok((await known()).includes(trustId))
      await end(item)
      await ended(trustId)
    }
    assert.deepEqual(service.troubles, [])
  })

  test('another subscriber or time takes another trust, and the one before ends', async () => {
    const { item, trustId: first } = await subscribe()
    assert.equal((await rita.patch(item, { subscriber: GLANCE })).status, 204)
    const second = await trustIn(item)
    assert.notEqual(second, first)
    await ended(first)

    service.clock.advance(100_000)
    assert.equal((await rita.patch(item, { ttl: 7200 })).status, 204)
    const third = await trustIn(item)
    await ended(second)
    const { trust } = await cloud.keystone.ask(await cloud.token('rita', 'red'), 'GET', `/OS-TRUST/trusts/${third}`)
    assertExpires(trust, 7200)

    assert.equal((await rita.patch(item, { options: { post_headers: {} } })).status, 204)
    assert.deepEqual(json(await rita.get(item)).options, { post_headers: {}, trust_id: third })
    assert.equal((await rita.patch(item, { options: { trust_id: third } })).status, 204)

    assert.equal((await rita.patch(item, { subscriber: PLAIN })).status, 204)
    assert.deepEqual(json(await rita.get(item)).options, {})
    await ended(third)

    assert.equal((await rita.patch(item, { subscriber: NOVA })).status, 204)
    const fourth = await trustIn(item)
    assert.ok((await known()).includes(fourth))
    await rita.delete(item)
    await ended(fourth)
  })

  test('who changes what another has sent has it sent in his own name', async () => {
    const { item, trustId } = await subscribe()
    const options = { post_data: '{"delete": "all"}' }
    for (const part of [{ options }, { subscriber: GLANCE }, { ttl: 900 }]) {
      await refused(ada.patch(item, part), 403, /another user/)
    }
    assert.equal((await ada.patch(item, { subscriber: NOVA, options })).status, 204)
    await ended(trustId)
    const own = await trustIn(item)
    assert.deepEqual(await known('ada'), [own])
    await ada.delete(item)
    await ended(own, 'ada')
  })

  test('none is left of a request that stores nothing', async () => {
    const { item, trustId } = await subscribe()
    const other = await subscribe(GLANCE)
    const again = await rita.post(JOBS, { subscriber: NOVA })
    assert.equal(`${JOBS}/${json(again).subscription_id}`, item)
    await rita.put(`${item}/confirm`, { confirmed: true })
    assert.equal((await rita.post(JOBS, { subscriber: NOVA })).status, 409)
    assert.equal((await rita.patch(item, { subscriber: GLANCE })).status, 409)
    assert.equal((await rita.patch(`${JOBS}/nobody`, { subscriber: GLANCE })).status, 404)
    await until(async () => (await known()).length === 2, 'a trust was left')
    assert.deepEqual((await known()).sort(), [trustId, other.trustId].sort())
    assert.equal(await trustIn(item), trustId)
    await rita.delete('/v2/queues/jobs')
    await ended(trustId)
    await ended(other.trustId)
  })

  test('nobody names one himself', async () => {
    const { item, trustId } = await subscribe()
    for (const given of [trustId, 'made up', 7]) {
      await refused(ada.post(JOBS, { subscriber: GLANCE, options: { trust_id: given } }), 400, /trust_id/)
    }
    await refused(rita.patch(item, { options: { trust_id: 'made up' } }), 400, /trust_id/)
    assert.deepEqual(await known('ada'), [])
    await rita.delete(item)
    await ended(trustId)
  })

  test('a token goes to services of the cloud and to hosts that are listed', async () => {
    const own = cloud.keystone.url
    const elsewhere = [
      'trust+https://evil.example/',
      'trust+http://nova.cloud.example:8774/',
      'trust+https://nova.cloud.example/',
      'trust+https://nova.cloud.example:8774@evil.example/',
      'trust+https://other.example:8081/',
      'trust+https://nova.cloud.example.evil.example:8774/',
      'trust+http://127.0.0.1/',
      'trust+http:',
      'trust+https://[',
    ]
    for (const subscriber of elsewhere) await refused(rita.post(JOBS, { subscriber }), 400, /services of this cloud/)
    assert.deepEqual(await known(), [])
    const { item } = await subscribe(`trust+${own}/x`)
    await refused(rita.patch(item, { subscriber: 'trust+https://evil.example/' }), 400, /services of this cloud/)
    assert.equal(json(await rita.get(item)).subscriber, `trust+${own}/x`)
    for (const subscriber of ['TRUST+HTTPS://NOVA.cloud.example:8774/x', 'trust+http://LISTED.example:99/']) {
      await subscribe(subscriber)
    }
    await subscribe('trust+http://other.example:8080/')
    await rita.delete('/v2/queues/jobs')
    await until(async () => (await known()).length === 0, 'a trust was left')
  })

  test('who has no token of his own, or none that may, makes none', async () => {
    const { keystone } = cloud
    const credential = await keystone.newCredential(await cloud.token('rita', 'red'), { name: 'for trusts' })
    const ofCredential = await keystone.token(Keystone.credential(credential))
    const restricted = service.client.with({ 'X-Project-Id': undefined, 'X-Auth-Token': ofCredential })
    await refused(restricted.post(JOBS, { subscriber: NOVA }), 403, /Keystone makes no trust/)
    assert.deepEqual(await known(), [])
    assert.deepEqual(json(await rita.get(JOBS)).subscriptions, [])

    const { item, trustId } = await subscribe()
    const token = { 'X-Auth-Token': await cloud.token('rita', 'red') }
    for (const stranger of [await signed('PATCH'), (await signed('PATCH')).with(token)]) {
      for (const changes of [{ ttl: 900 }, { subscriber: GLANCE }, { options: {} }]) {
        await refused(stranger.patch(item, changes), 400, /for a token only/)
      }
    }
    assert.equal(await trustIn(item), trustId)
    assert.equal((await (await signed('PATCH')).patch(item, { subscriber: PLAIN })).status, 204)
    await ended(trustId)
    assert.deepEqual(service.troubles, [])
  })

  test('a trust that is unknown, or whose maker has lost what he lent, is gone', async () => {
    await assert.rejects(tokens.token('0123456789abcdef0123456789abcdef', NEVER), TrustGone)
    const admin = await cloud.keystone.adminToken()
    const { item, trustId } = await subscribe()
    const membership = `/projects/${cloud.projects.red}/users/${ids['rita']}/roles/${cloud.roles.get('member')}`
    await cloud.keystone.ask(admin, 'DELETE', membership)
    await assert.rejects(tokens.token(trustId, NEVER), TrustGone)
    await cloud.keystone.ask(admin, 'PUT', membership)
    assert.ok(item)
  })

  test('a receiver is told with a token that Keystone knows, with a new one when that is revoked, and no log has any', async (t) => {
    const admin = await cloud.keystone.adminToken()
    const show = async (token: string) => {
      const subject = { 'X-Subject-Token': token }
      return (await cloud.keystone.ask(admin, 'GET', '/auth/tokens', undefined, subject)).token
    }
    const shown: string[] = []
    const told: { body: string; token: { user: { id: string }; 'OS-TRUST:trust': { id: string } } }[] = []
    const receiver = await startReceiver(async (_, body, { headers }) => {
      const token = String(headers['x-auth-token'])
      shown.push(token)
      const document = await show(token).catch(() => null)
      if (document !== null) told.push({ body, token: document })
      return document === null ? 401 : 200
    })
    t.after(() => receiver.close())
    const own = await startService({ config: configuration({ allowed_hosts: '127.0.0.1' }) })
    const send = sendOverHttp(own.url)
    t.after(async () => {
      send.close()
      await own.stop()
    })
    const client = new TestClient(send, { 'X-Auth-Token': await cloud.token('rita', 'red') })

    const created = await client.post(JOBS, { subscriber: `trust+${receiver.url}/hook`, ttl: 600 })
    assert.equal(created.status, 201, created.text)
    const item = `${JOBS}/${json(created).subscription_id}`
    const trustId = json(await client.get(item)).options.trust_id
    const post = async (body: number) => {
      const before = told.length
      assert.equal((await client.post('/v2/queues/jobs/messages', { messages: [{ ttl: 300, body }] })).status, 201)
      await until(() => told.length > before, 'the receiver was not told')
      return told.at(-1)
    }
    for (const body of [1, 2]) {
      const last = await post(body)
      assert.match(last?.body ?? '', new RegExp(`"body": ${body},`))
      assert.equal(last?.token.user.id, ids['rita'])
      assert.equal(last?.token['OS-TRUST:trust'].id, trustId)
      const subject = { 'X-Subject-Token': shown.at(-1) }
      await cloud.keystone.ask(admin, 'DELETE', '/auth/tokens', undefined, subject)
    }
    const [first, again, second] = shown
    assert.equal(shown.length, 3)
    assert.equal(again, first)
    assert.notEqual(second, first)
    await client.delete(item)
    await ended(trustId)
    for (const token of shown) assert.ok(!own.log().includes(token))
  })

  test('a trustee who is not let in says nothing about the trust', async () => {
    const stranger = trustsOf({ ...trusteeOf(service), password: 'wrong' })
    const error = await stranger.token('0123456789abcdef0123456789abcdef', NEVER).catch((error: unknown) => error)
    assert.ok(error instanceof Error && !(error instanceof TrustGone))
    assert.match(error.message, /401/)
    await stranger.close()
  })
})
