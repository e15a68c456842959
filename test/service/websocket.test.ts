import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { makePair } from '../../packages/server/test/support/certificates.ts'
import { SocketClient } from '../../packages/server/test/support/socket-client.ts'
import { type Service, startService } from '../support/service.ts'

const own = makePair('own')
let folder: string
let service: Service

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zaqar-websocket-'))
  writeFileSync(join(folder, 'key.pem'), own.key, { mode: 0o600 })
  writeFileSync(join(folder, 'cert.pem'), own.cert)
})

afterEach(async () => {
  await service.kill()
  rmSync(folder, { recursive: true })
})

/** Where only WebSocket is spoken. */
const ownUrl = () => /WebSocket +(\S+)/.exec(service.output())?.[1] ?? assert.fail(service.output())

async function isServed(url: string): Promise<SocketClient> {
  const client = await SocketClient.open(url, { ca: own.cert })
  assert.equal((await client.ask('queue_list')).status, 200)
  return client
}

test('the service speaks WebSocket on both ports, and says 1001 to all at its end', async () => {
  service = await startService({ config: '[drivers:transport:websocket]\nport = 0\n' })
  const clients = [await isServed(service.url.replace('http', 'ws')), await isServed(ownUrl())]
  await service.stop()
  for (const { closed } of clients) assert.equal((await closed).code, 1001)
})

test('with a certificate both ports speak WSS', async () => {
  const tls = `[ssl]\ncert_file = ${folder}/cert.pem\nkey_file = ${folder}/key.pem\n`
  service = await startService({ config: `${tls}[drivers:transport:websocket]\nport = 0\n` })
  assert.match(ownUrl(), /^wss:/)
  for (const url of [service.url.replace('https', 'wss'), ownUrl()]) (await isServed(url)).ws.terminate()
})

test('the log tells of each connection at its end, and of no credentials', async () => {
  service = await startService({ config: '[http]\ncredentials_in_query = true\n' })
  const client = await SocketClient.open(service.port, { path: '/?auth_token=very-secret' })
  await client.ask('authenticate', {}, { 'X-Auth-Token': 'very-secret' })
  await client.ask('subscription_create', { queue_name: 'kit' })
  client.ws.close(4000)
  await client.closed
  await service.stop()
  const line =
    service
      .log()
      .split('\n')
      .find((text) => text.includes('a socket has ended')) ?? assert.fail(service.log())
  const { clientAddress, requests, subscriptions, pushed, code } = JSON.parse(line)
  assert.deepEqual([clientAddress, requests, subscriptions, pushed, code], ['127.0.0.1', 2, 1, 0, 4000])
  assert.doesNotMatch(service.log(), /very-secret/)
})
