import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { settingsOfEnvironment } from '../../src/cli/connection/cloud-settings.ts'
import { settingsOfCloud } from '../../src/cli/connection/clouds-file.ts'
import { connectionOf } from '../../src/cli/connection/connect.ts'
import { keystoneAuthOf } from '../../src/cli/connection/keystone-auth.ts'
import { processShell } from '../../src/cli/shell.ts'

const CLOUDS = `
clouds:
  lab:
    region_name: one
    interface: internal
    auth: { auth_url: http://keystone, username: ann, project_name: p, user_domain_id: d }
`
const SECURE = 'clouds: { lab: { auth: { password: hunter2 } } }'

function settingsOf(name: string, files: Record<string, string>, env: Record<string, string> = {}) {
  const readFile = (path: string) => files[path] ?? null
  return settingsOfCloud(name, { env, homeDir: '/home/op' }, { files: { readFile }, workingDir: '/work' })
}

describe('clouds.yaml', () => {
  test('is looked for where openstacksdk does, the first one counts, and secure.yaml adds to it', async () => {
    const settings = await settingsOf('lab', {
      '/work/clouds.yaml': CLOUDS,
      '/etc/openstack/clouds.yaml': 'clouds: { lab: { region_name: other } }',
      '/home/op/.config/openstack/secure.yaml': SECURE,
    })
    assert.partialDeepStrictEqual(settings, { region_name: 'one', username: 'ann', password: 'hunter2' })
    assert.deepEqual(keystoneAuthOf(settings), {
      authUrl: 'http://keystone',
      region: 'one',
      endpoint: 'internal',
      user: { name: 'ann', domainId: 'd' },
      password: 'hunter2',
      project: { name: 'p' },
    })
  })

  test('that a variable names comes first', async () => {
    const files = { '/srv/c.yaml': CLOUDS, '/work/clouds.yaml': 'clouds: {}' }
    assert.partialDeepStrictEqual(await settingsOf('lab', files, { OS_CLIENT_CONFIG_FILE: '/srv/c.yaml' }), {
      region_name: 'one',
    })
  })

  test('without the cloud, or broken, is an error that shows no secrets', async () => {
    await assert.rejects(settingsOf('lba', { '/work/clouds.yaml': CLOUDS }), /\/work\/clouds\.yaml has no cloud lba/)
    await assert.rejects(settingsOf('lab', {}), /there is no clouds\.yaml with the cloud lab/)
    const broken = settingsOf('lab', { '/work/clouds.yaml': CLOUDS, '/work/secure.yaml': 'password: [hunter2' })
    await assert.rejects(broken, ({ message }: Error) => /secure\.yaml/.test(message) && !message.includes('hunter2'))
  })
})

describe('variables', () => {
  const user = { OS_AUTH_URL: 'http://k', OS_USERNAME: 'ann', OS_PASSWORD: 's', OS_PROJECT_NAME: 'p' }
  const authOf = (env: Record<string, string>, project?: string) =>
    keystoneAuthOf(settingsOfEnvironment(env) ?? {}, project)

  test('say who asks; those of the service are left alone', () => {
    assert.equal(settingsOfEnvironment({ OS_CLOUD: 'lab', OS_TRANSPORT__MAX_CLAIM_TTL: '60', PATH: '/bin' }), null)
    assert.partialDeepStrictEqual(authOf(user), { user: { name: 'ann' }, password: 's', project: { name: 'p' } })
    assert.deepEqual(authOf(user, 'other').project, { name: 'other' })
    assert.deepEqual(authOf(user, 'a'.repeat(32)).project, { id: 'a'.repeat(32) })
  })

  test('may hold an application credential or a token', () => {
    const credential = { OS_APPLICATION_CREDENTIAL_ID: 'i', OS_APPLICATION_CREDENTIAL_SECRET: 's' }
    assert.deepEqual(authOf({ OS_AUTH_URL: 'http://k', ...credential }).applicationCredential, { id: 'i', secret: 's' })
    assert.deepEqual(authOf({ OS_AUTH_URL: 'http://k', ...credential }, 'p').project, { name: 'p' })
    assert.equal(authOf({ OS_AUTH_URL: 'http://k', OS_TOKEN: 't', OS_PROJECT_ID: 'p' }).token, 't')
  })

  test('that are missing or cannot be followed are named', () => {
    const { OS_PASSWORD: _, ...unfinished } = user
    assert.throws(() => authOf(unfinished), /the password of the user is missing: set OS_PASSWORD/)
    assert.throws(() => authOf({ ...user, OS_INSECURE: 'true' }), /OS_CACERT/)
    assert.throws(() => authOf({ ...user, OS_AUTH_TYPE: 'v3kerberos' }), /auth_type v3kerberos is not known/)
    assert.throws(() => authOf({ ...user, OS_INTERFACE: 'private' }), /interface private is not known/)
  })
})

describe('what counts', () => {
  const of = (flags: object, env: Record<string, string>) =>
    connectionOf(flags, { ...processShell(), env, homeDir: '/nowhere' }, false)

  test('flags before variables, and without either the usual address', async () => {
    assert.partialDeepStrictEqual(await of({}, {}), { url: 'http://127.0.0.1:8888', project: 'default' })
    const env = { ZAQAR_URL: 'http://a', ZAQAR_PROJECT: 'p' }
    assert.partialDeepStrictEqual(await of({}, env), { url: 'http://a', project: 'p' })
    assert.partialDeepStrictEqual(await of({ url: 'http://b', project: 'q' }, env), { url: 'http://b', project: 'q' })
  })

  test('a token with the address of the service needs no Keystone', async () => {
    const { auth } = await of({ url: 'http://a' }, { OS_TOKEN: 't' })
    assert.deepEqual(auth, { token: 't' })
  })

  test('a signed URL and a cloud exclude each other', async () => {
    await assert.rejects(of({ signedUrl: 'f', osCloud: 'c' }, {}), /give one of them/)
  })
})
