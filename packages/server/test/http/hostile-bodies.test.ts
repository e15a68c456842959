import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hostileBodies } from '../support/hostile.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { JSON_PATCH } from '../support/test-client.ts'

interface Route {
  readonly method: string
  readonly target: string
  readonly type?: string
  /** A body that is right but for the value in it. */
  body(value: string): string
}

const routes: readonly Route[] = [
  { method: 'PUT', target: '/v2/queues/fresh', body: (value) => `{"a": ${value}}` },
  {
    method: 'PUT',
    target: '/v2/queues/new',
    body: (value) => `{"_max_claim_count": ${value}, "_retry_policy": ${value}}`,
  },
  {
    method: 'PATCH',
    target: '/v2/queues/jobs',
    type: JSON_PATCH,
    body: (value) => `[{"op": "add", "path": "/metadata/a", "value": ${value}}]`,
  },
  {
    method: 'PATCH',
    target: '/v2/queues/jobs',
    type: JSON_PATCH,
    body: (value) => `[{"op": ${value}, "path": ${value}}]`,
  },
  { method: 'POST', target: '/v2/queues/jobs/purge', body: (value) => `{"resource_types": ${value}}` },
  {
    method: 'POST',
    target: '/v2/queues/jobs/messages',
    body: (value) => `{"messages": [{"ttl": 60, "body": ${value}}]}`,
  },
  { method: 'POST', target: '/v2/queues/jobs/messages', body: (value) => `{"messages": ${value}}` },
  { method: 'POST', target: '/v2/queues/jobs/messages', body: (value) => `{"messages": [${value}]}` },
  {
    method: 'POST',
    target: '/v2/queues/slow/messages',
    body: (value) => `{"messages": [{"body": 1, "ttl": ${value}}]}`,
  },
  {
    method: 'POST',
    target: '/v2/queues/slow/messages',
    body: (value) => `{"messages": [{"body": 1, "delay": ${value}}]}`,
  },
  { method: 'POST', target: '/v2/queues/jobs/claims', body: (value) => `{"ttl": ${value}, "grace": 60}` },
  { method: 'PATCH', target: '/v2/queues/jobs/claims/c', body: (value) => `{"ttl": 60, "grace": ${value}}` },
  { method: 'GET', target: '/v2/queues/jobs/messages', body: (value) => value },
  { method: 'DELETE', target: '/v2/queues/other', body: (value) => value },
]

/** No test looks at what another has left behind, so that all share one service. */
let service: InProcessService

before(async () => {
  service = await openInProcess()
  await service.client.put('/v2/queues/jobs')
  await service.client.put('/v2/queues/slow', { _default_message_delay: 1 })
})

after(() => service.close())

for (const { method, target, type, body } of routes) {
  describe(`${method} ${target} with ${body('VALUE')}`, () => {
    const headers = type === undefined ? {} : { 'Content-Type': type }
    for (const [name, content] of Object.entries(hostileBodies(body))) {
      test(`is served or refused when the body is ${name}`, async () => {
        await service.client.delete('/v2/queues/fresh')
        const answer = await service.client.send(method, target, content, { headers })
        assert.ok(answer.status < 500, String(service.troubles.at(-1)))
        if (answer.status >= 400) assert.deepEqual(Object.keys(JSON.parse(answer.text)), ['title', 'description'])
        assert.equal(({} as { polluted?: boolean }).polluted, undefined)
      })
    }
  })
}

test('what was taken can be read', async () => {
  for (const target of ['/v2/queues?detailed=true', '/v2/queues/jobs', '/v2/queues/fresh', '/v2/queues/slow/stats']) {
    const answer = await service.client.get(target)
    assert.equal(answer.status, 200, answer.text.slice(0, 200))
    JSON.parse(answer.text)
  }
  for (let left = true; left; ) {
    const { status, text } = await service.client.delete('/v2/queues/jobs/messages?pop=20')
    assert.equal(status, 200, text.slice(0, 200))
    left = JSON.parse(text).messages.length > 0
  }
})
