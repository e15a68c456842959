/** `zaqar import` with a real Keystone on either side. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Zaqar } from 'zaqar-client/http'
import { runHere } from '../cli/run-here.ts'
import { bodiesOf, fill, imported, operatorOf } from '../import/run-import.ts'
import { missingPeer } from '../support/peers.ts'
import { type Service, startService } from '../support/service.ts'
import { authtoken, type Cloud, PASSWORD, startCloud } from './cloud.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-import-keystone-'))
after(() => rmSync(folder, { recursive: true }))

describe('an import with Keystone', { skip: missingPeer('keystone') || missingPeer('uwsgi') }, () => {
  let cloud: Cloud
  /** Asks Keystone, and is in its catalogue. */
  let guarded: Service
  /** Asks nobody. */
  let open: Service
  let env: Record<string, string>
  let projectsFile: string
  let runs = 0

  before(async () => {
    cloud = await startCloud()
    const { keystone, projects, roles } = cloud
    // Who imports has a role in each project: Ada is an administrator of both.
    const admin = await keystone.adminToken()
    const { users } = await keystone.ask(admin, 'GET', '/users?name=ada')
    await keystone.ask(admin, 'PUT', `/projects/${projects.blue}/users/${users[0].id}/roles/${roles.get('admin')}`)
    const options = Object.entries(authtoken(cloud)).map(([name, value]) => `${name} = ${value}\n`)
    const pooling = '[DEFAULT]\npooling = true\n[pooling:catalog]\nenable_virtual_pool = true\n'
    const keystoneConfig = `[DEFAULT]\nauth_strategy = keystone\n[keystone_authtoken]\n${options.join('')}`
    ;[guarded, open] = await Promise.all([
      startService({ config: `${pooling}${keystoneConfig}`, dataDir: join(folder, 'guarded') }),
      startService({ config: pooling, dataDir: join(folder, 'open') }),
    ])
    await cloud.announce(guarded.url)
    projectsFile = join(folder, 'projects')
    writeFileSync(projectsFile, `${projects.red}\n${projects.blue}\n`)
    const auth = `{ auth_url: '${keystone.url}', username: ada, project_name: red }`
    const clouds = `clouds:\n  cloud: { auth: ${auth} }\n  bare: { auth_type: none, messaging_endpoint_override: '${open.url}' }\n`
    writeFileSync(join(folder, 'clouds.yaml'), clouds)
    writeFileSync(join(folder, 'secure.yaml'), `clouds:\n  cloud: { auth: { password: '${PASSWORD}' } }\n`)
    env = {
      OS_CLIENT_CONFIG_FILE: join(folder, 'clouds.yaml'),
      OS_CLIENT_SECURE_FILE: join(folder, 'secure.yaml'),
    }
  })
  after(async () => {
    await guarded?.stop()
    await open?.stop()
    await cloud?.keystone.destroy()
  })

  async function as(person: 'rita' | 'bob'): Promise<Zaqar> {
    const token = await cloud.token(person, person === 'rita' ? 'red' : 'blue')
    return new Zaqar({ url: guarded.url, auth: { token } })
  }

  /** A way that no import took before. */
  function importing(...flags: readonly string[]): string[] {
    runs += 1
    return ['import', '--state', join(folder, `state-${runs}`), ...flags]
  }

  test('brings projects out of a cloud and back, each with a token of its own, with pools and flavors', async () => {
    const [rita, bob] = [await as('rita'), await as('bob')]
    const tokenOfAda = { token: await cloud.token('ada', 'red') }
    const ada = new Zaqar({ url: guarded.url, auth: tokenOfAda })
    await ada.putPool('fast', { uri: `sqlite:${join(folder, 'guarded', 'fast.db')}`, weight: 1 })
    await ada.putFlavor('quick', ['fast'])
    await rita.queue('jobs').create({ _flavor: 'quick', team: 'red' })
    await fill(rita.queue('jobs'), ['of rita', 'of red'])
    await fill(bob.queue('jobs'), ['of bob'])
    await bob.queue('jobs').addSubscription({ subscriber: 'https://example.org/bob', ttl: 9000 })

    const pools = join(folder, 'pools.json')
    writeFileSync(pools, JSON.stringify({ fast: `sqlite:${join(folder, 'open', 'fast.db')}` }))
    const out = ['--from-cloud', 'cloud', '--to-cloud', 'bare', '--projects-file', projectsFile, '--pools', pools]
    const there = await imported(importing(...out), { env })
    assert.partialDeepStrictEqual(there.summary, { queues: 2, messages: 3, subscriptions: 1, pools: 1, wrong: 0 })
    assert.equal(there.summary.source, guarded.url)
    const { red, blue } = cloud.projects
    const [openRed, openBlue] = [operatorOf(open, red), operatorOf(open, blue)]
    assert.deepEqual(await bodiesOf(openRed.queue('jobs')), ['of rita', 'of red'])
    assert.deepEqual(await bodiesOf(openBlue.queue('jobs')), ['of bob'])
    assert.partialDeepStrictEqual(await openRed.queue('jobs').metadata(), { _flavor: 'quick', team: 'red' })

    for (const zaqar of [rita, bob]) await zaqar.queue('jobs').purge(['messages', 'subscriptions'])
    await openBlue.queue('jobs').postAll([{ body: 'since' }])
    const back = ['--from-cloud', 'bare', '--to-cloud', 'cloud', '--projects-file', projectsFile]
    const home = await imported(importing(...back), { env })
    assert.partialDeepStrictEqual(home.summary, { messages: 4, subscriptions: 1, wrong: 0 })
    assert.deepEqual(await bodiesOf(rita.queue('jobs')), ['of rita', 'of red'])
    assert.deepEqual(await bodiesOf(bob.queue('jobs')), ['of bob', 'since'])
    const [subscription] = await Array.fromAsync(bob.queue('jobs').subscriptions())
    assert.equal(subscription?.subscriber, 'https://example.org/bob')
  })

  test('asks by variables, too', async () => {
    const variables = {
      ...{ OS_AUTH_URL: cloud.keystone.url, OS_USERNAME: 'rita', OS_PASSWORD: PASSWORD, OS_PROJECT_NAME: 'red' },
      ...{ OS_USER_DOMAIN_NAME: 'Default', OS_PROJECT_DOMAIN_NAME: 'Default' },
    }
    await fill((await as('rita')).queue('by-variables'), [1, 2])
    const way = ['--from', guarded.url, '--to-cloud', 'bare', '--dry-run']
    const argv = importing(...way, '--project', 'red', '--queue', 'by-variables')
    const { of } = await imported(argv, { env: { ...env, ...variables } })
    assert.equal(of('by-variables').seen, 2)
  })

  test('ends where who imports has no role in a project', async () => {
    const auth = `{ auth_url: '${cloud.keystone.url}', username: rita, password: '${PASSWORD}', project_name: red }`
    const file = join(folder, 'rita.yaml')
    writeFileSync(
      file,
      `clouds:\n  cloud: { auth: ${auth} }\n  bare: { auth_type: none, messaging_endpoint_override: '${open.url}' }\n`,
    )
    const flags = ['--from-cloud', 'cloud', '--to-cloud', 'bare', '--projects-file', projectsFile, '--dry-run']
    const { code, stderr } = await runHere(importing(...flags), { env: { OS_CLIENT_CONFIG_FILE: file } })
    assert.equal(code, 77)
    assert.match(stderr, /^zaqar: Keystone gives no token: /)
  })

  test('is refused for credentials that are for another project than the one it is to bring', async () => {
    const { id, secret } = await cloud.keystone.newCredential(await cloud.token('rita', 'red'), { name: 'importer' })
    const { red, blue } = cloud.projects
    const credential = { OS_AUTH_URL: cloud.keystone.url, OS_AUTH_TYPE: 'v3applicationcredential' }
    const byCredential = {
      ...env,
      ...credential,
      OS_APPLICATION_CREDENTIAL_ID: id,
      OS_APPLICATION_CREDENTIAL_SECRET: secret,
    }
    const way = ['--from', guarded.url, '--to-cloud', 'bare', '--dry-run']
    for (const project of [red, 'red']) {
      const { of } = await imported(importing(...way, '--project', project), { env: byCredential })
      assert.equal(of('jobs').seen, 2)
    }
    const other = await runHere(importing(...way, '--project', blue), { env: byCredential })
    assert.equal(other.code, 77)
    assert.match(other.stderr, /^zaqar: the application credential is for the project red /i)

    const byToken = { ...env, OS_TOKEN: await cloud.token('rita', 'red') }
    const several = await runHere(importing(...way, '--project', red, '--project', blue), { env: byToken })
    assert.equal(several.code, 1)
    assert.match(several.stderr, /^zaqar: a token is for one project/)
  })
})
