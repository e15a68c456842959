import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { startReceiver } from '../support/receiver.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { startService } from '../support/service.ts'

const example = fileURLToPath(new URL('../../examples/tracing/console.js', import.meta.url))
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SENDER = '00f067aa0ba902b7'

interface PrintedSpan {
  readonly name: string
  readonly trace: string
  readonly id: string
  readonly parent: string | null
  readonly text: string
}

/** As the exporter of the SDK prints them. */
function spansIn(output: string): PrintedSpan[] {
  return output
    .split(/^}$/m)
    .filter((text) => text.includes('traceId:'))
    .map((text) => {
      const found = (pattern: RegExp) => pattern.exec(text)?.[1] ?? null
      return {
        name: found(/^ {2}name: '([^']*)'/m) ?? '',
        trace: found(/^ {2}traceId: '([^']*)'/m) ?? '',
        id: found(/^ {2}id: '([^']*)'/m) ?? '',
        parent: found(/^ {4}spanId: '([^']*)'/m),
        text,
      }
    })
}

test('a trace leads from who sends a request to the move of the storage, and another from a delivery to its webhook', async (t) => {
  const heard: string[] = []
  const receiver = await startReceiver((_path, _body, { headers }) => {
    heard.push(String(headers['traceparent']))
    return 200
  })
  t.after(() => receiver.close())
  const service = await startService({ under: ['env', `NODE_OPTIONS=--import=${example}`] })
  const send = sendOverHttp(service.url)
  const client = new TestClient(send)
  await client.post('/v2/queues/q/subscriptions', { subscriber: receiver.url })
  const headers = { traceparent: `00-${TRACE}-${SENDER}-01` }
  const posted = await client.post('/v2/queues/q/messages?auth_token=secret', { messages: [{ body: 1 }] }, { headers })
  const id = /messages\/([0-9a-f]+)/.exec(posted.text)?.[1] ?? assert.fail(posted.text)
  await until(() => heard.length > 0 && spansIn(service.output()).some(({ name }) => name === 'deliver'))
  send.close()
  await service.stop()

  const spans = spansIn(service.output())
  const named = (name: string) =>
    spans.find((span) => span.name === name && (span.trace === TRACE || name === 'deliver'))
  const [request, operation, move, delivery] = ['HTTP POST', 'messages.post', 'storage messages.append', 'deliver'].map(
    named,
  )
  assert.ok(request && operation && move && delivery, service.output())
  assert.equal(request.parent, SENDER)
  assert.equal(operation.parent, request.id)
  assert.equal(move.parent, operation.id)
  assert.match(request.text, /'http.response.status_code': 201/)
  assert.doesNotMatch(service.output(), /secret/)

  assert.deepEqual(heard, [`00-${delivery.trace}-${delivery.id}-01`])
  assert.notEqual(delivery.trace, TRACE)
  for (const span of [move, delivery]) assert.match(span.text, new RegExp(`'zaqar.message.ids': \\[ '${id}' \\]`))
})

test('the trace of who sends a frame leads to its operation, and each frame has its own', async () => {
  const service = await startService({ under: ['env', `NODE_OPTIONS=--import=${example}`] })
  const socket = new WebSocket(service.url.replace('http', 'ws'))
  await once(socket, 'open')
  const caller = { 'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c', 'X-Project-ID': 'p', 'URL-Paths': ['secret'] }
  const ask = async (action: string, body: object, headers: object) => {
    socket.send(JSON.stringify({ action, body, headers: { ...caller, ...headers } }))
    await once(socket, 'message')
  }
  const [post, list] = [{ queue_name: 'q', messages: [{ body: 1 }] }, { queue_name: 'q' }]
  await ask('message_post', post, { traceparent: `00-${TRACE}-${SENDER}-01`, tracestate: 'a=1' })
  await ask('message_list', list, { traceparent: ['no', 'context'] })
  await ask('queue_get', { queue_name: 'none' }, {})
  socket.close()
  await service.stop()

  const spans = spansIn(service.output())
  const named = (name: string) => spans.find((span) => span.name === name) ?? assert.fail(service.output())
  const [posted, operation, listed, missed] = [
    'WebSocket message_post',
    'messages.post',
    'WebSocket message_list',
    'WebSocket queue_get',
  ].map(named) as [PrintedSpan, PrintedSpan, PrintedSpan, PrintedSpan]
  assert.deepEqual([posted.trace, posted.parent], [TRACE, SENDER])
  assert.deepEqual([operation.trace, operation.parent], [TRACE, posted.id])
  assert.match(posted.text, /'zaqar.action': 'message_post'.*'zaqar.status': 201/s)
  for (const span of [listed, missed]) assert.equal(span.parent, null)
  assert.equal(new Set([TRACE, listed.trace, missed.trace]).size, 3)
  assert.doesNotMatch(service.output(), /secret/)
})
