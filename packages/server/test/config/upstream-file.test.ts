import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { load, loadFile, problemsOf } from './memory.ts'

const original = readFileSync(new URL('upstream.conf', import.meta.url), 'utf8')
/** The one line that an operator has to add. */
const content = original.replace('[storage]\n', '[storage]\nuri = sqlite:/var/lib/zaqar/zaqar.db\n')

test('a file of upstream with a MongoDB lacks the place where messages are kept, and nothing else', () => {
  const problems = problemsOf({ files: { '/etc/zaqar/zaqar.conf': original } })
  assert.equal(problems.length, 1)
  assert.match(problems[0] ?? '', /\[drivers\] message_store: .*\[storage\] uri or --storage/)
})

const { config, noEffect } = loadFile(content)

test('Keystone is asked as a file of upstream says', () => {
  assert.equal(config.auth.strategy, 'keystone')
  const { authUrl, username, password, projectName, cafile } = config.keystone
  assert.deepEqual([authUrl, username, projectName, cafile], ['http://192.0.2.10/identity', 'zaqar', 'service', ''])
  assert.equal(password?.reveal(), 'secr$et')
})

test('policy files are looked for beside the configuration file, and then in the usual places', () => {
  const { folders } = load({ argv: ['--config-file', '/srv/z/zaqar.conf'], files: { '/srv/z/zaqar.conf': content } })
  assert.deepEqual(folders, ['/srv/z', '/home/op/.zaqar', '/home/op', '/etc/zaqar', '/etc'])
  assert.deepEqual([config.policy.file, config.policy.folders], ['policy.yaml', ['/etc/zaqar/policy.d']])
})

test('an option that may be repeated keeps all its values', () => {
  const { config } = loadFile(
    '[oslo_policy]\npolicy_dirs = a\npolicy_dirs = b, c\n[signed_url]\nprevious_secret_keys = x,y\n z\n',
  )
  assert.deepEqual(config.policy.folders, ['a', 'b, c'])
  assert.deepEqual(
    config.signedUrls.previousSecretKeys.map((key) => key.reveal()),
    ['x,y', 'z'],
  )
})

test('with Keystone a wider address needs no more than that', () => {
  assert.equal(loadFile(content.replace('bind = 127.0.0.1', 'bind = 0.0.0.0')).config.http.bind, '0.0.0.0')
})

test('what a file of upstream sets is used', () => {
  assert.equal(config.log.debug, true)
  assert.equal(config.messages.checksum, true)
  assert.deepEqual([config.http.bind, config.http.port], ['127.0.0.1', 18888])
  assert.equal(config.limits.maxMessageTtlSeconds, 86400)
  assert.equal(config.clientId.check, 'off')
})

test('WebSocket is spoken where the file says, and at its usual port where only the transport is named', () => {
  const { bind, port } = config.websocket
  assert.deepEqual([bind, port], ['192.0.2.10', 9000])
  assert.equal(loadFile('[drivers]\ntransport = websocket\n').config.websocket.port, 9000)
  const elsewhere = '[drivers]\ntransport = websocket\n[drivers:transport:websocket]\nport = 9001\n'
  assert.equal(loadFile(elsewhere).config.websocket.port, 9001)
  assert.equal(loadFile('[drivers]\ntransport = wsgi\n').config.websocket.port, null)
})

test('mails for confirmation are those of the file', () => {
  assert.equal(config.mail.mode, 'third_part')
  assert.deepEqual(config.mail.subscribed, { topic: 'Confirm', body: 'Hello, {0}', sender: 'zaqar@example.org' })
})

test('older names of groups and options are understood', () => {
  assert.equal(config.limits.maxMessagesPostBytes, 524288)
  assert.equal(config.limits.maxClaimTtlSeconds, 3600)
  assert.equal(config.limits.maxMessagesPerClaimOrPop, 50)
})

test('a store that is none here does not decide where messages are kept', () => {
  assert.deepEqual(config.storage.uri, { engine: 'sqlite', file: '/var/lib/zaqar/zaqar.db' })
})

test('what has no effect is named once, with the reason, and no value is shown', () => {
  const log = 'the log goes to the standard error stream, in a form of its own'
  assert.deepEqual(noEffect, [
    '[DEFAULT] unreliable: concerns MongoDB only',
    `[DEFAULT] log_dir, use_syslog, logging_context_format_string: ${log}`,
    '[DEFAULT] transport_url, control_exchange: no message bus is used',
    '[storage] message_pipeline: subscriptions are always told; see [notification] max_deliveries',
    '[drivers] message_store, management_store: the store follows from [storage] uri',
    '[drivers:message_store:mongodb] uri, database, partitions: ' +
      'the settings of MongoDB, which is no store of this server',
    '[drivers:management_store:sqlalchemy] uri, database: queues and messages have one store, [storage] uri',
    '[keystone_authtoken] interface: Keystone is asked at auth_url',
    '[keystone_authtoken] memcached_servers: the service keeps its own caches',
    '[keystone_authtoken] signing_dir: upstream ignores it, too',
    '[cors.second] allowed_origin: pages of all origins follow the rules of [cors], whose allowed_origin names them',
    '[cache] backend, enabled: the service keeps its own caches',
    '[profiler] enabled, hmac_keys: osprofiler is a library of Python',
    '[oslo_messaging_rabbit] rabbit_quorum_queue: no message bus is used',
  ])
})

test('the value of an option without effect stops nothing, whatever it is', () => {
  const { noEffect } = loadFile(
    '[drivers:transport:websocket]\nnotification_port = ws\n[DEFAULT]\nlog_dir = $nowhere\n',
  )
  assert.deepEqual(noEffect, [
    '[DEFAULT] log_dir: the log goes to the standard error stream, in a form of its own',
    '[drivers:transport:websocket] notification_port: messages are pushed without an endpoint',
  ])
})
