/** A webhook is asked to confirm, and does, with nothing but what it was sent. (contract notifications.md 5) */
import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json as readJson } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { CLIENT_ID, OTHER_CLIENT_ID, PROJECT } from '../../packages/server/test/support/test-client.ts'
import { type Service, startService } from '../support/service.ts'

const CONFIG = '[notification]\nrequire_confirmation = true\npublic_url = https://cloud.example/messaging\n'
const OWNER = { 'Client-ID': CLIENT_ID, 'X-Project-ID': PROJECT, 'Content-Type': 'application/json' }
const QUEUE = '/v2/queues/jobs'

type Document = Record<string, string> & { SubscribeBody: object; UnsubscribeBody: object }

/** A webhook that answers with these statuses, then with 200; `next` is the next document that it gets. */
async function startReceiver(t: TestContext, ...statuses: number[]) {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const requests = on(server, 'request')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async next(): Promise<Document> {
      const [request, response] = (await requests.next()).value as [IncomingMessage, ServerResponse]
      const document = (await readJson(request)) as Document
      response.writeHead(statuses.shift() ?? 200).end()
      return document
    },
  }
}

async function send({ url }: Service, method: string, path: string, headers: object, body: object): Promise<void> {
  const answer = await fetch(`${url}${path}`, { method, headers: { ...headers }, body: JSON.stringify(body) })
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`)
}

function answerTo(service: Service, document: Document, body: object): Promise<void> {
  const names = ['URL-Signature', 'URL-Methods', 'URL-Paths', 'URL-Expires', 'X-Project-ID']
  const signed = Object.fromEntries(names.map((name) => [name, document[name]]))
  return send(service, 'PUT', document['URL-Paths'] ?? '', { 'Client-ID': OTHER_CLIENT_ID, ...signed }, body)
}

/** Far longer than it takes: what never comes ends it. */
const SOON = { timeout: 60_000 }

test(
  'it is asked until it has taken the question, told once it has confirmed, and not after it has left',
  SOON,
  async (t) => {
    const receiver = await startReceiver(t, 503)
    const service = await startService({ config: CONFIG })
    t.after(() => service.stop())
    const post = (n: number) =>
      send(service, 'POST', `${QUEUE}/messages`, OWNER, { messages: [{ ttl: 300, body: { n } }] })

    const [refused] = await Promise.all([
      receiver.next(),
      send(service, 'POST', `${QUEUE}/subscriptions`, OWNER, { subscriber: receiver.url }),
    ])
    const asked = await receiver.next()
    assert.deepEqual(asked, refused)
    assert.equal(asked['Message_Type'], 'SubscriptionConfirmation')
    assert.equal(asked['WSGISubscribeURL'], `https://cloud.example/messaging${asked['URL-Paths']}`)

    await post(1)
    await answerTo(service, asked, asked.SubscribeBody)
    const [told] = await Promise.all([receiver.next(), post(2)])
    assert.deepEqual([told['Message_Type'], told['body']], ['Notification', { n: 2 }])

    const [left] = await Promise.all([receiver.next(), answerTo(service, asked, asked.UnsubscribeBody)])
    assert.equal(left['Message_Type'], 'UnsubscribeConfirmation')
    await post(3)
    await answerTo(service, left, left.SubscribeBody)
    const [again] = await Promise.all([receiver.next(), post(4)])
    assert.deepEqual(again['body'], { n: 4 })
  },
)
