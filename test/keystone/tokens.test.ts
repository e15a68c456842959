import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { attemptsOn, fill, picture, tryAll } from '../../packages/server/test/auth/every-route.ts'
import { fetchDocument, operationsOf } from '../../packages/server/test/openapi/document.ts'
import { json } from '../../packages/server/test/support/answers.ts'
import {
  type AccessSeams,
  type InProcessService,
  openInProcess,
} from '../../packages/server/test/support/in-process.ts'
import type { TestAnswer } from '../../packages/server/test/support/test-client.ts'
import { missingPeer } from '../support/peers.ts'
import { asVariables, authtoken, type Cloud, PASSWORD, startCloud } from './cloud.ts'
import { Keystone, projectNamed } from './keystone.ts'

function assertUnauthorized(answer: TestAnswer, about = answer.text): void {
  assert.equal(answer.status, 401, about)
  assert.equal(
    answer.text,
    '{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}',
  )
  assert.equal(answer.headers['www-authenticate'], 'Keystone uri="https://keystone.example.org"')
}

describe('with Keystone', { skip: missingPeer('keystone') || missingPeer('uwsgi') }, () => {
  let cloud: Cloud
  const services: InProcessService[] = []
  /** For tests that need nothing of their own: a new service costs a token of its own. */
  let usual: Awaited<ReturnType<typeof open>>

  before(async () => {
    cloud = await startCloud()
    usual = await open()
  })

  after(async () => {
    for (const service of services) await service.close()
    await cloud?.keystone.destroy()
  })

  /** A service, and clients of it that name neither a project nor anything else of themselves. */
  async function open(options: Record<string, string> = {}, env: Record<string, string> = {}, seams: AccessSeams = {}) {
    const service = await openInProcess({ ...asVariables(authtoken(cloud, options)), ...env }, {}, seams)
    services.push(service)
    const nobody = service.client.with({ 'X-Project-Id': undefined })
    return { service, nobody, as: (token: string) => nobody.with({ 'X-Auth-Token': token }) }
  }

  test('nobody gets in without a token that is valid', async () => {
    const { nobody, as, service } = usual
    for (const path of ['/v2', '/v2/', '/v2/ping', '/v2/queues', '/v1/queues', '/v2/nothing', '/nothing']) {
      assertUnauthorized(await nobody.get(path), path)
      assertUnauthorized(await as('junk').get(path), path)
    }
    assertUnauthorized(await as('').get('/v2/queues'))
    assertUnauthorized(await as('x'.repeat(9000)).get('/v2/queues'))
    assertUnauthorized(await as(await cloud.token('rita', 'red').then((token) => `${token}x`)).get('/v2/queues'))
    assert.equal((await nobody.with({ 'Client-ID': undefined }).get('/')).status, 300)
    assert.equal((await nobody.send('OPTIONS', '/v2/queues')).status, 200)
    assert.deepEqual(service.troubles, [])
  })

  test('no header stands in for a token', async () => {
    const { nobody } = usual
    const { red } = cloud.projects
    const identity = {
      'X-Project-Id': red,
      'X-Tenant-Id': red,
      'X-Roles': 'admin',
      'X-User-Id': 'u',
      'X-Identity-Status': 'Confirmed',
    }
    for (const extra of [{}, { 'EXTRA-SPEC': '' }, { 'EXTRA-SPEC': 'messagecode:1' }, { 'X-Service-Token': 'junk' }]) {
      assertUnauthorized(await nobody.with({ ...identity, ...extra }).get('/v2/queues'), JSON.stringify(extra))
    }
    const empty = await nobody.with({ ...identity, 'URL-Signature': '' }).get('/v2/queues')
    assert.deepEqual([empty.status, empty.text], [404, '{"title": "404 Not Found"}'])
  })

  test('the token says whose project it is, whatever the headers say', async () => {
    const { as } = usual
    const rita = as(await cloud.token('rita', 'red')).with({
      'X-Project-Id': cloud.projects.blue,
      'X-Tenant-Id': cloud.projects.blue,
    })
    const bob = as(await cloud.token('bob', 'blue'))
    assert.equal((await rita.put('/v2/queues/of-rita')).status, 201)
    assert.deepEqual(json(await bob.get('/v2/queues')).queues, [])
    assert.equal(json(await rita.get('/v2/queues')).queues.length, 1)
  })

  test('the token says who has which roles, whatever the headers say', async () => {
    const { as } = await open({}, { OS_DEFAULT__ADMIN_MODE: 'true' })
    const rita = as(await cloud.token('rita', 'red')).with({ 'X-Roles': 'admin' })
    assert.deepEqual(json(await rita.get('/v2/pools')).title, 'Not authorized')
    assert.equal((await as(await cloud.token('ada', 'red')).get('/v2/pools')).status, 200)
  })

  test('a token may be spelt in several ways, and Keystone says which one it is', async () => {
    const { keystone } = cloud
    const token = await cloud.token('rita', 'red')
    const auditIds = async (spelt: string): Promise<string[]> =>
      (await keystone.ask(token, 'GET', '/auth/tokens', undefined, { 'X-Subject-Token': spelt })).token.audit_ids
    const [auditId] = await auditIds(token)
    assert.ok(auditId)
    for (const spelt of [`${token}=`, `${token}==`]) {
      assert.equal((await usual.as(spelt).get('/v2/queues')).status, 200)
      assert.equal((await auditIds(spelt))[0], auditId)
    }
    const another = await keystone.token(Keystone.password('rita', PASSWORD, projectNamed('red')))
    assert.notEqual((await auditIds(another))[0], auditId)
  })

  test('a token without a project is valid but good for nothing', async () => {
    const { as, service } = usual
    const { keystone } = cloud
    const body = Keystone.password('rita', PASSWORD)
    const scopes = [
      await keystone.token(body),
      await keystone.token(Keystone.password('admin', 'admin-secret', { system: { all: true } })),
    ]
    for (const token of scopes) {
      const answer = await as(token).with({ 'X-Project-Id': cloud.projects.red }).get('/v2/queues')
      assert.deepEqual([answer.status, json(answer).title], [400, 'Project-Id Missing'])
    }
    assert.deepEqual(service.troubles, [])
  })

  test('tokens of all kinds are good', async () => {
    const { as } = usual
    const { keystone, projects } = cloud
    const rita = await cloud.token('rita', 'red')
    const ritaId = (await keystone.show(rita)).user.id
    const bob = await cloud.token('bob', 'blue')
    const bobId = (await keystone.show(bob)).user.id

    const again = await keystone.token({
      auth: { identity: { methods: ['token'], token: { id: rita } }, scope: projectNamed('red') },
    })
    const trust = await keystone.ask(rita, 'POST', '/OS-TRUST/trusts', {
      trust: {
        trustor_user_id: ritaId,
        trustee_user_id: bobId,
        project_id: projects.red,
        impersonation: false,
        roles: [{ name: 'member' }],
      },
    })
    const trusted = await keystone.token(
      Keystone.password('bob', PASSWORD, { 'OS-TRUST:trust': { id: trust.trust.id } }),
    )
    for (const token of [rita, again, trusted]) {
      assert.equal((await as(token).put('/v2/queues/shared')).status < 300, true)
    }
  })

  test('an application credential is good for what it is restricted to', async () => {
    const { as } = usual
    const { keystone } = cloud
    const rita = await cloud.token('rita', 'red')
    const tokenOf = async (fields: object) =>
      keystone.token(Keystone.credential(await keystone.newCredential(rita, fields)))
    const whole = as(await tokenOf({ name: 'whole' }))
    assert.equal((await whole.put('/v2/queues/by-credential')).status, 201)
    const restricted = as(
      await tokenOf({
        name: 'restricted',
        access_rules: [
          { service: 'messaging', method: 'GET', path: '/v2/queues/*' },
          { service: 'compute', method: 'PUT', path: '/v2/queues/*' },
        ],
      }),
    )
    assert.equal((await restricted.get('/v2/queues/by-credential')).status, 200)
    assertUnauthorized(await restricted.put('/v2/queues/by-credential'))
    assertUnauthorized(await restricted.get('/v2/queues/by-credential/stats'))
  })

  test('the server itself may come with an application credential', async () => {
    const { keystone } = cloud
    const own = await keystone.token(Keystone.password('zaqar', PASSWORD, projectNamed('service')))
    const { id, secret } = await keystone.newCredential(own, { name: 'zaqar' })
    const { as } = await open({
      auth_type: 'v3applicationcredential',
      application_credential_id: id,
      application_credential_secret: secret,
    })
    assert.equal((await as(await cloud.token('rita', 'red')).get('/v2/queues')).status, 200)
  })

  test('a service token that is not valid spoils the request', async () => {
    const { as } = await open({ service_token_roles_required: 'true' })
    const rita = as(await cloud.token('rita', 'red'))
    assert.equal((await rita.get('/v2/queues')).status, 200)
    assertUnauthorized(await rita.with({ 'X-Service-Token': 'junk' }).get('/v2/queues'))
    assertUnauthorized(await rita.with({ 'X-Service-Token': await cloud.token('bob', 'blue') }).get('/v2/queues'))
    assert.equal(
      (await rita.with({ 'X-Service-Token': await cloud.token('sam', 'red') }).get('/v2/queues')).status,
      200,
    )
  })

  test('a token is good for no longer than it lives', async () => {
    const { as, service } = await open()
    const token = await cloud.token('rita', 'red')
    const { expires_at: expires } = await cloud.keystone.show(token)
    const end = Math.floor(Date.parse(expires) / 1000) * 1000
    service.clock.moveTo(end - 1)
    assert.equal((await as(token).get('/v2/queues')).status, 200)
    service.clock.moveTo(end)
    assertUnauthorized(await as(token).get('/v2/queues'))
  })

  test('a token that has expired is good for a service that passes it on, and for nobody else', async () => {
    const { as, service } = await open({ token_cache_time: '-1' })
    const { keystone } = cloud
    const end = Date.now() + 4000
    const credential = await keystone.newCredential(await cloud.token('rita', 'red'), {
      name: 'short',
      expires_at: new Date(end).toISOString().slice(0, -1),
    })
    const token = await keystone.token(Keystone.credential(credential))
    service.clock.moveTo(Date.now())
    assert.equal((await as(token).get('/v2/queues')).status, 200)
    // Keystone has a clock of its own.
    await sleep(end + 500 - Date.now())
    service.clock.moveTo(Date.now())
    assertUnauthorized(await as(token).get('/v2/queues'))
    const passedOn = as(token).with({ 'X-Service-Token': await cloud.token('sam', 'red') })
    assert.equal((await passedOn.get('/v2/queues')).status, 200)
  })

  test('a token that was revoked is good for no longer than its answer is believed', async () => {
    const { as, service } = await open({ token_cache_time: '30' })
    const { keystone } = cloud
    const token = await cloud.newToken('rita', 'red')
    assert.equal((await as(token).get('/v2/queues')).status, 200)
    await keystone.ask(await keystone.adminToken(), 'DELETE', '/auth/tokens', undefined, { 'X-Subject-Token': token })
    assert.equal((await as(token).get('/v2/queues')).status, 200)
    service.clock.advance(30_000)
    assertUnauthorized(await as(token).get('/v2/queues'))
  })

  test('whoever loses a role, or is disabled, is let in no longer than answers are believed', async () => {
    const { as, service } = await open({ token_cache_time: '30' }, { OS_POLICY__DEFAULT_RULES: 'personas' })
    const { keystone, projects } = cloud
    const admin = await keystone.adminToken()
    const { user } = await keystone.show(await cloud.token('pat', 'red'))
    const token = await cloud.newToken('pat', 'red')
    assert.equal((await as(token).put('/v2/queues/of-pat')).status, 201)
    const assignments = `/projects/${projects.red}/users/${user.id}/roles`
    await keystone.ask(admin, 'PUT', `${assignments}/${cloud.roles.get('reader')}`)
    await keystone.ask(admin, 'DELETE', `${assignments}/${cloud.roles.get('member')}`)
    service.clock.advance(30_000)
    // Keystone may take back the token together with the role.
    const left = await as(token).put('/v2/queues/of-pat')
    assert.ok([401, 403].includes(left.status), left.text)

    const another = await cloud.newToken('pat', 'red')
    assert.equal((await as(another).get('/v2/queues/of-pat')).status, 200)
    assert.equal((await as(another).put('/v2/queues/of-pat')).status, 403)
    await keystone.ask(admin, 'PATCH', `/users/${user.id}`, { user: { enabled: false } })
    service.clock.advance(30_000)
    assertUnauthorized(await as(another).get('/v2/queues/of-pat'))
  })

  test('a service user with a wrong password lets nobody in, and says why', async () => {
    const { as, service } = await open({ password: 'wrong' })
    assert.equal((await as(await cloud.token('rita', 'red')).get('/v2/queues')).status, 503)
    assert.match(String(service.troubles[0]), /gives this server no token, it answers 401/)
    assert.doesNotMatch(String(service.troubles[0]), /wrong/)
  })

  test('rules of a policy file decide by the roles of the token', async () => {
    const content = 'queues:create: "role:admin"\nqueues:get: "user_id:%(project_id)s or role:reader"\n'
    const only = (path: string) => (path.endsWith('/policy.yaml') ? content : null)
    const { as } = await open({}, {}, { files: { readFile: only, stamp: only, listFolder: () => null } })
    const [rita, ada] = [as(await cloud.token('rita', 'red')), as(await cloud.token('ada', 'red'))]
    const denied = await rita.put('/v2/queues/ruled')
    assert.deepEqual(
      [denied.status, json(denied)],
      [403, { title: 'Not authorized', description: 'You are not authorized to complete this action.' }],
    )
    assert.equal((await ada.put('/v2/queues/ruled')).status, 201)
  })

  test('the stricter default rules tell reader and member apart', async () => {
    const { as } = await open({}, { OS_POLICY__DEFAULT_RULES: 'personas' })
    const [rita, rex] = [as(await cloud.token('rita', 'red')), as(await cloud.token('rex', 'red'))]
    assert.equal((await rita.put('/v2/queues/personal')).status, 201)
    assert.equal((await rex.get('/v2/queues/personal')).status, 200)
    assert.equal((await rex.put('/v2/queues/personal')).status, 403)
    assert.equal((await rex.post('/v2/queues/personal/share', { methods: ['POST'] })).status, 403)
  })

  test('a signed URL works without a token, is for its own project alone, and needs a key that somebody has set', async () => {
    const { as, nobody } = await open({}, { OS_SIGNED_URL__SECRET_KEY: 'k' })
    const rita = as(await cloud.token('rita', 'red'))
    const shared = json(await rita.post('/v2/queues/jobs/share', { methods: ['GET', 'POST'] }))
    assert.equal(shared.project, cloud.projects.red)
    const headers = {
      'X-Project-Id': shared.project,
      'URL-Methods': 'GET,POST',
      'URL-Paths': '/v2/queues/jobs/messages',
      'URL-Expires': shared.expires,
      'URL-Signature': shared.signature,
    }
    const guest = nobody.with({ ...headers, 'X-Auth-Token': 'junk', 'X-Roles': 'admin' })
    assert.equal((await guest.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })).status, 201)
    assert.equal(json(await rita.get('/v2/queues/jobs/messages?echo=true')).messages.length, 1)
    for (const change of [{ 'X-Project-Id': cloud.projects.blue }, { 'URL-Signature': '' }, { 'URL-Methods': 'GET' }]) {
      assert.equal((await guest.with(change).get('/v2/queues/jobs/messages')).status, 404, JSON.stringify(change))
    }
    const keyless = await open()
    const refused = await keyless.as(await cloud.token('rita', 'red')).post('/v2/queues/jobs/share', {})
    assert.deepEqual(
      [refused.status, json(refused)],
      [400, { title: 'Invalid API request', description: "The `key` can't be None" }],
    )
    assert.equal((await keyless.nobody.with(headers).get('/v2/queues/jobs/messages')).status, 404)
  })

  test('no route and no id leads from one project into another', async () => {
    const { as, service } = await open()
    const rita = as(await cloud.token('rita', 'red'))
    const bob = as(await cloud.token('bob', 'blue'))
    const victim = { mark: 'of-red', names: await fill(rita, 'of-red') }
    const before = await picture(rita, victim.names)
    await tryAll(bob, attemptsOn(operationsOf(await fetchDocument(service.send)), victim.names), victim)
    assert.deepEqual(await picture(rita, victim.names), before)
    assert.deepEqual(service.troubles, [])
  })

  // The last: it takes Keystone away.
  test('while Keystone is away known tokens go on, others wait for it to come back', async () => {
    const { as, service } = await open()
    const [known, unknown] = [await cloud.token('rita', 'red'), await cloud.token('bob', 'blue')]
    assert.equal((await as(known).get('/v2/queues')).status, 200)
    await cloud.keystone.leave()
    assert.equal((await as(known).get('/v2/queues')).status, 200)
    const answer = await as(unknown).get('/v2/queues')
    assert.equal(answer.status, 503)
    assert.equal(
      answer.text,
      '{"message": "The Keystone service is temporarily unavailable.", "code": "503 Service Unavailable", "title": "Service Unavailable"}',
    )
    assert.equal(service.troubles.length, 1)
    await cloud.keystone.serve()
    assert.equal((await as(unknown).get('/v2/queues')).status, 200)
    service.clock.advance(301_000)
    assert.equal((await as(known).get('/v2/queues')).status, 200, 'asked about again')
  })
})
