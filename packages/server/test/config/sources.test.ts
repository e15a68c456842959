import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEYSTONE } from '../support/keystone-settings.ts'
import { load, problemsOf } from './memory.ts'

const file = '/etc/zaqar/zaqar.conf'
const withPort = (port: number): string => `[drivers:transport:wsgi]\nport = ${port}\n`

test('without any source the defaults hold', () => {
  const { config, noEffect, sources } = load({})
  assert.deepEqual({ noEffect, sources }, { noEffect: [], sources: [] })
  assert.partialDeepStrictEqual(config, {
    storage: { dataDir: '.zaqar-data', uri: { engine: 'sqlite', file: '.zaqar-data/zaqar.db' }, listenUri: null },
    log: { debug: false },
    messages: { checksum: false, deleteNeedsClaimIds: false },
    limits: {
      defaultMessageTtlSeconds: 3600,
      defaultMessageDelaySeconds: 0,
      defaultClaimTtlSeconds: 300,
      defaultClaimGraceSeconds: 60,
      maxQueuesPerPage: 20,
      maxMessagesPerPage: 20,
      maxMessagesPerClaimOrPop: 20,
      maxQueueMetadataBytes: 65536,
      maxMessagesPostBytes: 262144,
      maxMessageTtlSeconds: 1209600,
      maxMessageDelaySeconds: 900,
      maxClaimTtlSeconds: 43200,
      maxClaimGraceSeconds: 43200,
    },
    clientId: { check: 'strict', minLength: 10, maxLength: 36 },
    http: {
      bind: '127.0.0.1',
      port: 8888,
      exposeWithoutAuthentication: false,
      maxHeaderBytes: 32768,
      requestTimeoutSeconds: 60,
      maxConnections: 20000,
    },
  })
})

test('the configuration cannot be changed', () => {
  const { config } = load({})
  assert.ok(Object.isFrozen(config) && Object.values(config).every((section) => Object.isFrozen(section)))
})

const precedence: { name: string; given: Parameters<typeof load>[0]; port: number; sources: string[] }[] = [
  { name: 'a file beats the default', given: { files: { [file]: withPort(1) } }, port: 1, sources: [file] },
  {
    name: 'a later line beats an earlier one',
    given: { files: { [file]: `${withPort(1)}port = 2` } },
    port: 2,
    sources: [file],
  },
  {
    name: 'a later file beats an earlier one',
    given: { argv: ['--config-file', '/b', '--config-file', '/a'], files: { '/a': withPort(1), '/b': withPort(2) } },
    port: 1,
    sources: ['/b', '/a'],
  },
  {
    name: 'a variable beats a file',
    given: { env: { OS_DRIVERS_TRANSPORT_WSGI__PORT: '3' }, files: { [file]: withPort(1) } },
    port: 3,
    sources: [file, 'OS_DRIVERS_TRANSPORT_WSGI__PORT'],
  },
  {
    name: 'a group in a variable may keep the colons that oslo.config would have there',
    given: { env: { 'OS_DRIVERS:TRANSPORT:WSGI__PORT': '3' } },
    port: 3,
    sources: ['OS_DRIVERS:TRANSPORT:WSGI__PORT'],
  },
  {
    name: 'a flag beats a variable',
    given: { argv: ['--port', '4'], env: { OS_DRIVERS_TRANSPORT_WSGI__PORT: '3' } },
    port: 4,
    sources: ['OS_DRIVERS_TRANSPORT_WSGI__PORT', '--port'],
  },
  {
    name: 'the home folder comes before /etc',
    given: { files: { [file]: withPort(1), '/home/op/.zaqar/zaqar.conf': withPort(5) } },
    port: 5,
    sources: ['/home/op/.zaqar/zaqar.conf'],
  },
  {
    name: 'the files of zaqar.conf.d follow by name, and only *.conf counts',
    given: {
      files: {
        [file]: withPort(1),
        '/etc/zaqar/zaqar.conf.d/10-a.conf': withPort(2),
        '/etc/zaqar/zaqar.conf.d/20-b.conf': withPort(3),
        '/etc/zaqar/zaqar.conf.d/30-c.conf.bak': withPort(4),
      },
    },
    port: 3,
    sources: [file, '/etc/zaqar/zaqar.conf.d/10-a.conf', '/etc/zaqar/zaqar.conf.d/20-b.conf'],
  },
  {
    name: 'with --config-file nothing else is read',
    given: { argv: ['--config-file=/a'], files: { '/a': '[DEFAULT]', [file]: withPort(1) } },
    port: 8888,
    sources: ['/a'],
  },
  {
    name: '--config-dir follows --config-file',
    given: {
      argv: ['--config-dir', '/d', '--config-file', '/a'],
      files: { '/a': withPort(1), '/d/x.conf': withPort(2) },
    },
    port: 2,
    sources: ['/a', '/d/x.conf'],
  },
]

for (const { name, given, port, sources } of precedence) {
  test(name, () => {
    const loaded = load(given)
    assert.equal(loaded.config.http.port, port)
    assert.deepEqual(loaded.sources, sources)
  })
}

test('flags set what they are named after', () => {
  const argv = ['--bind', '::1', '--port=0', '--storage', 'sqlite:/x/y.db', '--data-dir', '/d', '--debug']
  const { config } = load({ argv })
  assert.equal(config.http.bind, '::1')
  assert.equal(config.http.port, 0)
  assert.equal(config.storage.dataDir, '/d')
  assert.deepEqual(config.storage.uri, { engine: 'sqlite', file: '/x/y.db' })
  assert.equal(config.log.debug, true)
})

test('the store lies in the data folder unless something else is said', () => {
  const { config } = load({ argv: ['--data-dir', '/srv/zaqar'] })
  assert.deepEqual(config.storage.uri, { engine: 'sqlite', file: '/srv/zaqar/zaqar.db' })
})

test('variables that are no options of a service are left alone', () => {
  const env = { OS_AUTH_URL: 'http://keystone', OS_CLOUD: 'x', PATH: '/bin', ZAQAR__X: '1' }
  assert.deepEqual(load({ env }).sources, [])
})

test('named files and folders must be there', () => {
  const argv = ['--config-file', '/no/file', '--config-dir', '/no/folder']
  assert.deepEqual(problemsOf({ argv }), ['/no/folder: there is no such folder', '/no/file: there is no such file'])
})

test('a default above a maximum that was lowered alone comes down to it, and the start says so', () => {
  const { config, warnings } = load({
    files: { [file]: '[transport]\ndefault_message_ttl = 4000\nmax_message_ttl = 1800\nmax_message_delay = 0\n' },
    env: { OS_TRANSPORT__MAX_CLAIM_TTL: '120', OS_TRANSPORT__MAX_CLAIM_GRACE: '60' },
  })
  const { defaultMessageTtlSeconds, defaultMessageDelaySeconds, defaultClaimTtlSeconds } = config.limits
  assert.deepEqual([defaultMessageTtlSeconds, defaultMessageDelaySeconds, defaultClaimTtlSeconds], [1800, 0, 120])
  assert.deepEqual(warnings, [
    `${file}:2: [transport] default_message_ttl: 4000 is more than max_message_ttl allows, so it is 1800`,
    '[transport] default_claim_ttl: 300 is more than max_claim_ttl allows, so it is 120',
  ])
  assert.deepEqual(load({}).warnings, [])
})

test('whoever requires confirmations is told when nobody can be asked for one', () => {
  const keystone = { ...KEYSTONE, OS_NOTIFICATION__REQUIRE_CONFIRMATION: 'true' }
  const [warning = '', ...others] = load({ env: keystone }).warnings
  assert.match(warning, /^OS_NOTIFICATION__REQUIRE_CONFIRMATION: .*\[signed_url\] secret_key is not set/)
  assert.deepEqual(others, [])
  assert.equal(load({ env: { ...keystone, OS_SIGNED_URL__SECRET_KEY: '' } }).warnings.length, 1)
  assert.deepEqual(load({ env: { ...keystone, OS_SIGNED_URL__SECRET_KEY: 'k' } }).warnings, [])
  assert.deepEqual(load({ env: { OS_NOTIFICATION__REQUIRE_CONFIRMATION: 'true' } }).warnings, [], 'a key is made')
})

test('a usual folder that may not be looked into counts as missing for whoever names a file', () => {
  const named = { argv: ['--config-file', '/srv/zaqar.conf'], files: { '/srv/zaqar.conf': withPort(1) } }
  assert.deepEqual(load({ ...named, closed: '/etc/zaqar' }).folders, ['/srv', '/home/op/.zaqar', '/home/op', '/etc'])
  assert.deepEqual(load(named).folders, ['/srv', '/home/op/.zaqar', '/home/op', '/etc/zaqar', '/etc'])
})

test('a usual folder that may not be looked into is a problem for whoever names none', () => {
  assert.match(problemsOf({ closed: '/etc/zaqar' }).join('\n'), /^\/etc\/zaqar\/zaqar\.conf: cannot be read: EACCES/m)
})
