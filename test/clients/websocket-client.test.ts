import { after, before, test } from 'node:test'
import { requirePeer } from '../support/peers.ts'
import { type Service, startService } from '../support/service.ts'
import { runPython } from './run-python.ts'

let service: Service

before(async () => {
  service = await startService()
})

after(() => service.stop())

test('a program in Python speaks JSON and MessagePack over a WebSocket', async (t) => {
  if (requirePeer(t, 'websocket') && requirePeer(t, 'msgpack')) await runPython('websocket_client.py', service.url)
})
