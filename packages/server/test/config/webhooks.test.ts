import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, problemsOf } from './memory.ts'

const path = '/etc/zaqar/zaqar.conf'
const inFile = (lines: string) => ({ files: { [path]: `[notification]\n${lines}` } })

test('networks are given in either family, with or without a length', () => {
  const { webhooks } = load(inFile('allow_networks = 100.64.0.0/10, ::/0\ndeny_networks = 10.0.0.5,fd00::/8')).config
  assert.deepEqual(webhooks.allowNetworks, ['100.64.0.0/10', '::/0'])
  assert.deepEqual(webhooks.denyNetworks, ['10.0.0.5', 'fd00::/8'])
})

for (const text of [
  ...['10.0.0.0/33', '::/129', '10.0.0.0/', '10/8', 'localhost', '10.0.0.0-10.0.0.9', 'fe80::1%eth0/64', '10.0.0.0/-1'],
  ...['::ffff:10.0.0.0/104', '0:0:0:0:0:FFFF:a00:0/104'],
]) {
  test(`${text} is no network`, () => {
    assert.deepEqual(problemsOf(inFile(`deny_networks = ${text}`)), [
      `${path}:2: [notification] deny_networks: "${text}" was given, ` +
        'allowed is a list of networks such as 10.0.0.0/8 or fd00::/8',
    ])
  })
}

test('the address of a proxy is a secret, also when it is refused', () => {
  const { webhooks } = load(inFile('proxy_url = http://user:hunter2@proxy:3128')).config
  assert.equal(webhooks.proxyUrl?.reveal(), 'http://user:hunter2@proxy:3128')
  assert.doesNotMatch(JSON.stringify(webhooks), /hunter2/)
  assert.deepEqual(problemsOf(inFile('proxy_url = https://[fd00::1]:3128')), [
    `${path}:2: [notification] proxy_url: *** was given, a proxy with TLS has a host name`,
  ])
  assert.deepEqual(problemsOf(inFile('proxy_url = socks5://user:hunter2@proxy')), [
    `${path}:2: [notification] proxy_url: *** was given, allowed is an address that begins with http:// or https://`,
  ])
})

test('a client certificate has its key, and a key its certificate', () => {
  assert.deepEqual(problemsOf(inFile('client_cert_file = a.pem')), [
    '[notification] client_key_file: the private key of the certificate is missing',
  ])
  assert.deepEqual(problemsOf(inFile('client_key_file = a.pem')), [
    '[notification] client_cert_file: the certificate of the private key is missing',
  ])
  const { webhooks } = load(inFile('client_cert_file = a.pem\nclient_key_file = b.pem')).config
  assert.deepEqual([webhooks.clientCertFile, webhooks.clientKeyFile], ['a.pem', 'b.pem'])
})
