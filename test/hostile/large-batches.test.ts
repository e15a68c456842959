import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CLIENT_ID, PROJECT } from '../../packages/server/test/support/test-client.ts'
import { type Service, startService } from '../support/service.ts'

/** Limits of HTTP clients on what a server may send: Node 16 KB for the whole header, Python 64 KB for a line. */
let service: Service

before(async () => {
  service = await startService()
})

after(() => service.stop())

for (const count of [1, 20, 100, 500, 5000, 20_000]) {
  test(`the answer to a POST of ${count} messages can be read by an ordinary client`, async () => {
    const headers = { 'Client-ID': CLIENT_ID, 'X-Project-Id': PROJECT }
    const body = `{"messages":[${Array(count).fill('{"body":1}').join(',')}]}`
    const answer = await fetch(`${service.url}/v2/queues/q${count}/messages`, { method: 'POST', headers, body })
    assert.equal(answer.status, 201)
    const { resources } = (await answer.json()) as { resources: string[] }
    assert.equal(new Set(resources).size, count)
    const location = answer.headers.get('location') ?? ''
    assert.ok(location.startsWith(`/v2/queues/q${count}/messages`))
    if (count <= 20) assert.equal((await fetch(service.url + location, { headers })).status, 200)
  })
}
