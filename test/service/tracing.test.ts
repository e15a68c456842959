import assert from 'node:assert/strict'
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
