/** The command line with a real Keystone: the service is registered, looked over, and asked in all the ways there are. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../../packages/server/test/storage/postgres-server.ts'
import { type Ended, type Given, runHere } from '../cli/run-here.ts'
import { installZaqar } from '../support/command.ts'
import { missingPeer } from '../support/peers.ts'
import { type Service, startService } from '../support/service.ts'
import { blocksOf, commandsIn } from '../tour/page.ts'
import { openShell } from '../tour/shell.ts'
import { type Cloud, PASSWORD, startCloud } from './cloud.ts'
import { ADMIN_PASSWORD, Keystone, projectNamed } from './keystone.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-command-line-'))
after(() => rmSync(folder, { recursive: true }))

const passwordFile = join(folder, 'courier.password')
const DOMAINS = { OS_USER_DOMAIN_NAME: 'Default', OS_PROJECT_DOMAIN_NAME: 'Default' }

describe('the command line with Keystone:', { skip: missingPeer('keystone') || missingPeer('uwsgi') }, () => {
  let cloud: Cloud
  let publicUrl: string
  let port: number

  before(async () => {
    cloud = await startCloud()
    port = await freePort()
    publicUrl = `http://127.0.0.1:${port}`
  })
  after(() => cloud?.keystone.destroy())

  /** As a person of the cloud has it in a shell. */
  function environment(user: string, project = 'red', password = PASSWORD): Record<string, string> {
    const { url } = cloud.keystone
    return { ...DOMAINS, OS_AUTH_URL: url, OS_USERNAME: user, OS_PASSWORD: password, OS_PROJECT_NAME: project }
  }

  function register(...more: readonly string[]): Promise<Ended> {
    const names = ['--user', 'courier', '--service-project', 'couriers', '--region', 'North']
    const flags = ['--public-url', publicUrl, ...names, '--password-file', passwordFile, ...more]
    return runHere(['keystone', 'register', ...flags], { env: environment('admin', 'admin', ADMIN_PASSWORD) })
  }

  async function inKeystone(path: string) {
    return cloud.keystone.ask(await cloud.keystone.adminToken(), 'GET', path)
  }

  describe('zaqar keystone register', () => {
    let first: Ended

    test('tells what it would do, and then does it', async () => {
      const dry = await register('--dry-run')
      assert.equal(dry.code, 0, dry.stderr)
      assert.match(dry.stderr, /^would be created {2}user courier$/m)
      assert.equal(existsSync(passwordFile), false)
      assert.deepEqual((await inKeystone('/services?type=messaging')).services, [])

      first = await register()
      assert.equal(first.code, 0, first.stderr)
      const withoutWidth = (lines: string) => lines.replaceAll(/ {2,}/g, ' ')
      assert.equal(withoutWidth(first.stderr), withoutWidth(dry.stderr).replaceAll('would be created', 'created'))
      assert.equal(statSync(passwordFile).mode & 0o777, 0o600)
      const { services } = await inKeystone('/services')
      assert.deepEqual(services.map(({ name, type }: { name: string; type: string }) => [name, type]).sort(), [
        ['keystone', 'identity'],
        ['zaqar', 'messaging'],
        ['zaqar-websocket', 'messaging-websocket'],
      ])
      const { endpoints } = await inKeystone('/endpoints?region_id=North')
      assert.equal(endpoints.length, 6)
    })

    test('changes nothing another time', async () => {
      const again = await register()
      assert.deepEqual([again.code, again.stdout], [0, first.stdout])
      assert.match(again.stderr, /^(is there {2,}.+\n)+nothing to change\n$/)
    })

    test('moves an endpoint, and gives the user the password of the file', async () => {
      const moved = await register('--admin-url', 'http://10.0.0.1:8888')
      assert.match(moved.stderr, /^changed +admin endpoint http:\/\/10\.0\.0\.1:8888 of zaqar$/m)
      assert.match(moved.stderr, /^changed +admin endpoint ws:\/\/10\.0\.0\.1:8888 of zaqar-websocket$/m)
      const password = readFileSync(passwordFile, 'utf8')
      writeFileSync(passwordFile, 'another\n')
      assert.match((await register()).stderr, /^changed +password of the user courier$/m)
      writeFileSync(passwordFile, password)
      assert.equal((await register()).code, 0)
    })

    test('neither locks a service out, nor lets somebody in who is no administrator', async () => {
      const lost = await register('--password-file', join(folder, 'nowhere'))
      assert.equal(lost.code, 1)
      assert.match(
        lost.stderr,
        /^zaqar: the user courier is there, and its password is not in .*nowhere: put it there\n$/,
      )
      const flags = ['--public-url', publicUrl, '--user', 'mallory', '--password-file', join(folder, 'mallory')]
      const refused = await runHere(['keystone', 'register', ...flags], { env: environment('rita') })
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /^zaqar: GET \/domains: Keystone answers 403: You are not authorized/)
    })
  })

  describe('a service that is configured as registered', () => {
    let service: Service
    let config: string

    before(async () => {
      const { stdout } = await register()
      const secrets = `password = ${readFileSync(passwordFile, 'utf8')}[signed_url]\nsecret_key = s3cret\n`
      config = join(folder, 'zaqar.conf')
      writeFileSync(config, `${stdout}${secrets}`, { mode: 0o600 })
      service = await startService({ port, config: readFileSync(config, 'utf8') })
    })
    after(() => service?.stop())

    async function done(argv: readonly string[], given: Given): Promise<string> {
      const { code, stdout, stderr } = await runHere(argv, given)
      assert.deepEqual({ argv, code, stderr }, { argv, code: 0, stderr: '' })
      return stdout
    }

    async function doctor(...flags: readonly string[]): Promise<Ended> {
      return runHere([
        'doctor',
        '--config-file',
        config,
        '--port',
        String(port),
        '--data-dir',
        service.dataDir,
        ...flags,
      ])
    }

    test('is found well by zaqar doctor', async () => {
      const { code, stdout } = await doctor()
      assert.equal(code, 0, stdout)
      assert.match(stdout, /^ok +keystone +Keystone at \S+ gives the service a token, in \d+ ms$/m)
      assert.match(
        stdout,
        /the service user has the role service in the project couriers, which lets it validate tokens$/m,
      )
      assert.match(stdout, new RegExp(`the catalogue says that messaging is at ${publicUrl}$`, 'm'))
      assert.match(stdout, /^ok +clock +Keystone's clock agrees with that of this machine$/m)
      assert.match(stdout, /^ok +storage +the service has \S+ open, and it answers$/m)
    })

    test('is told of a password that Keystone does not accept, and the password is not shown', async () => {
      const wrong = join(folder, 'wrong.conf')
      writeFileSync(wrong, '[keystone_authtoken]\npassword = hunter2\n', { mode: 0o600 })
      for (const json of [[], ['--json']]) {
        const { code, stdout } = await doctor('--config-file', wrong, ...json)
        assert.equal(code, 1)
        assert.match(stdout, /gives the service no token: it answers 401: /)
        assert.doesNotMatch(stdout, /hunter2|s3cret/)
      }
    })

    test('is told of a service user that may not validate tokens, by the token of the trustee', async () => {
      const more = join(folder, 'trustee.conf')
      const trustee = `[trustee]\nusername = bob\npassword = ${PASSWORD}\nuser_domain_name = Default\n`
      writeFileSync(more, trustee, { mode: 0o600 })
      const well = await doctor('--config-file', more)
      assert.match(well.stdout, /^ok +keystone +the trustee gets a token, and the service may validate it$/m)
      const member = `[keystone_authtoken]\nusername = rita\npassword = ${PASSWORD}\nproject_name = red\n`
      writeFileSync(more, trustee + member)
      const { code, stdout } = await doctor('--config-file', more)
      assert.equal(code, 1)
      assert.match(stdout, /^error +keystone +the trustee: Keystone does not validate tokens, it answers 403: /m)
      writeFileSync(more, member)
      assert.match(
        (await doctor('--config-file', more)).stdout,
        /^warning +keystone +the service user has the roles member, reader in the project red/m,
      )
    })

    test('does for a password all that the command line can', async () => {
      const given = { env: environment('rita') }
      const ask = (...argv: readonly string[]) => done(argv, given)
      const json = async (...argv: readonly string[]) => JSON.parse(await ask(...argv, '--json'))
      assert.equal(await ask('ping'), 'the service answers\n')
      await ask('queue', 'create', 'jobs', 'team=billing')
      assert.deepEqual(await json('queue', 'list'), [{ name: 'jobs', href: '/v2/queues/jobs' }])
      const { ids } = await json('message', 'post', 'jobs', '{"order": 1}', 'two', 'three')
      assert.equal((await json('message', 'show', 'jobs', ids[0])).body.order, 1)
      assert.match(await ask('tail', 'jobs', '--from', 'start', '--count', '2'), /"two"\n$/)
      const claim = await json('claim', 'create', 'jobs', '--limit', '1', '--ttl', '300')
      await ask('claim', 'renew', 'jobs', claim.id, '--ttl', '600')
      await ask('claim', 'release', 'jobs', claim.id)
      assert.equal((await json('message', 'pop', 'jobs', '--count', '1'))[0].body.order, 1)
      assert.equal((await json('queue', 'stats', 'jobs')).total, 2)
      const subscription = await json('subscription', 'create', 'jobs', 'https://example.org/hook', '--ttl', '300')
      await ask('subscription', 'set', 'jobs', subscription.id, '--ttl', '600')
      assert.match(await ask('subscription', 'list', 'jobs'), /example\.org\/hook/)
      await ask('subscription', 'delete', 'jobs', subscription.id)
      await ask('topic', 'create', 'news')
      await ask('message', 'post', 'news', 'hello', '--topic')
      assert.equal((await json('topic', 'stats', 'news')).total, 1)
      const file = join(folder, 'signed.json')
      await ask('signed-url', 'create', 'jobs', '--output', file, '--method', 'GET', '--method', 'POST')
      assert.match(await ask('signed-url', 'show', file), new RegExp(`^url +${publicUrl}$`, 'm'))
      // Whoever has the file needs no Keystone.
      await done(['--signed-url', file, 'message', 'post', 'jobs', 'from outside'], {})
      assert.equal((await json('message', 'list', 'jobs')).at(-1).body, 'from outside')
      await ask('queue', 'purge', 'jobs')
      await ask('topic', 'delete', 'news')
      await ask('queue', 'delete', 'jobs')
    })

    test('lets an administrator manage pools and flavors and see its health, and nobody else', async () => {
      const ask = (...argv: readonly string[]) => done(argv, { env: environment('ada') })
      await ask('pool', 'create', 'fast', '--uri', `sqlite:${join(service.dataDir, 'pool.db')}`, '--weight', '10')
      await ask('flavor', 'create', 'quick', 'fast')
      assert.match(await ask('flavor', 'list'), /^quick /m)
      await ask('flavor', 'delete', 'quick')
      await ask('pool', 'delete', 'fast')
      assert.match(await ask('health'), /^storage_reachable +true$/m)
      const refused = await runHere(['health'], { env: environment('rita') })
      assert.equal(refused.code, 77)
    })

    /** Says who asks, each in another way. */
    const ways: Record<string, () => Promise<{ readonly env: Record<string, string>; readonly flags?: string[] }>> = {
      'an application credential': async () => {
        const { id, secret } = await cloud.keystone.newCredential(await cloud.token('rita', 'red'), { name: 'worker' })
        const credential = { OS_APPLICATION_CREDENTIAL_ID: id, OS_APPLICATION_CREDENTIAL_SECRET: secret }
        return { env: { OS_AUTH_URL: cloud.keystone.url, OS_AUTH_TYPE: 'v3applicationcredential', ...credential } }
      },
      'a token, and Keystone': async () => {
        const token = { OS_AUTH_TYPE: 'v3token', OS_TOKEN: await cloud.newToken('rita', 'red') }
        return { env: { ...DOMAINS, OS_AUTH_URL: cloud.keystone.url, OS_PROJECT_NAME: 'red', ...token } }
      },
      'a token, and the address of the service': async () => ({
        env: { OS_TOKEN: await cloud.newToken('rita', 'red'), ZAQAR_URL: publicUrl },
      }),
      'a cloud of clouds.yaml': async () => {
        const auth = `auth_url: ${cloud.keystone.url}\n      username: rita\n      project_name: red`
        const file = join(folder, 'clouds.yaml')
        writeFileSync(file, `clouds:\n  ours:\n    region_name: North\n    auth:\n      ${auth}\n`)
        const secret = join(folder, 'secure.yaml')
        writeFileSync(secret, `clouds:\n  ours:\n    auth:\n      password: ${PASSWORD}\n`)
        return {
          env: { OS_CLIENT_CONFIG_FILE: file, OS_CLIENT_SECURE_FILE: secret },
          flags: ['--os-cloud', 'ours'],
        }
      },
    }

    for (const [name, way] of Object.entries(ways)) {
      test(`takes ${name}`, async () => {
        const { env, flags = [] } = await way()
        const ask = (...argv: readonly string[]) => done([...flags, ...argv], { env })
        await ask('message', 'post', 'of-ways', name)
        const [message] = JSON.parse(await ask('message', 'pop', 'of-ways', '--json'))
        assert.equal(message.body, name)
      })
    }

    test('says of credentials that are not good that they are not', async () => {
      const wrong = await runHere(['queue', 'list'], { env: environment('rita', 'red', 'wrong') })
      assert.equal(wrong.code, 77)
      assert.match(wrong.stderr, /^zaqar: Keystone gives no token: /)
      const elsewhere = await runHere(['queue', 'list'], { env: environment('rita', 'blue') })
      assert.equal(elsewhere.code, 77)
      const stale = await runHere(['queue', 'list'], { env: { OS_TOKEN: 'gone', ZAQAR_URL: publicUrl } })
      assert.equal(stale.code, 77)
    })
  })

  test('the commands of docs/command-line.md register, too', async () => {
    const { users } = await inKeystone('/users?name=zaqar')
    await cloud.keystone.ask(await cloud.keystone.adminToken(), 'DELETE', `/users/${users[0].id}`)
    const place = mkdtempSync(join(folder, 'shell-'))
    const shell = openShell(place, environment('admin', 'admin', ADMIN_PASSWORD))
    try {
      await shell.run(`PATH='${installZaqar(place)}':$PATH`)
      const blocks = blocksOf('docs/command-line.md').filter(({ heading }) => heading === 'Registering in Keystone')
      const outputs: string[] = []
      for (const command of commandsIn(blocks)) outputs.push(await shell.run(command))
      assert.equal(outputs.at(-1), 'read: keystone.conf')
      const config = readFileSync(join(place, 'keystone.conf'), 'utf8')
      const [, password = ''] = /^password = (\S{40,})$/m.exec(config) ?? []
      await cloud.keystone.token(Keystone.password('zaqar', password, projectNamed('service')))
    } finally {
      await shell.close()
    }
  })
})
