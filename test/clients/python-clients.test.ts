import { after, before, test } from 'node:test'
import { requirePeer } from '../support/peers.ts'
import { type Service, startService } from '../support/service.ts'
import { runPython } from './run-python.ts'

let service: Service

before(async () => {
  service = await startService()
})

after(() => service.stop())

test('python-zaqarclient works with version 2', async (t) => {
  if (requirePeer(t, 'python-zaqarclient')) await runPython('zaqarclient_v2.py', service.url)
})

test('python-zaqarclient works with subscriptions', async (t) => {
  if (requirePeer(t, 'python-zaqarclient')) await runPython('zaqarclient_subscriptions.py', service.url)
})

test("openstacksdk's message proxy works", async (t) => {
  if (requirePeer(t, 'openstacksdk')) await runPython('openstacksdk_message.py', service.url)
})
