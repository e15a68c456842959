import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseWay } from '../../../src/cli/agent/choose-way.ts'

function wayWith(methods: readonly string[], resources: readonly string[], queue = 'jobs') {
  const paths = resources.map((resource) => `/v2/queues/${queue}/${resource}`)
  const signed = { methods, paths, signature: 's', project: 'p', expires: '2099-01-01T00:00:00' }
  return chooseWay({ queue: 'jobs', signed })
}

test('messages are claimed where all that claims need is allowed', () => {
  assert.deepEqual(wayWith(['DELETE', 'PATCH', 'POST'], ['claims', 'messages']), { way: 'claims', missing: [] })
})

for (const [methods, resources, missing] of [
  [['DELETE', 'POST'], ['claims', 'messages'], ['PATCH on claims']],
  [['DELETE', 'PATCH'], ['claims', 'messages'], ['POST on claims']],
  [['DELETE'], ['messages'], ['POST on claims', 'PATCH on claims', 'DELETE on claims']],
] as const) {
  test(`messages are popped with ${methods} on ${resources}, and what is missing is known`, () => {
    assert.deepEqual(wayWith(methods, resources), { way: 'pop', missing })
  })
}

test('messages are read where they cannot be deleted, even if they could be claimed', () => {
  assert.deepEqual(wayWith(['GET', 'PATCH', 'POST'], ['claims', 'messages']), {
    way: 'follow',
    missing: ['DELETE on claims', 'DELETE on messages'],
  })
})

test('other methods, other resources and other queues allow nothing', () => {
  assert.equal(wayWith(['POST', 'get'], ['messages']), null)
  assert.equal(wayWith(['GET', 'DELETE'], ['subscriptions', 'claims']), null)
  assert.equal(wayWith(['GET', 'DELETE'], ['messages'], 'jobs2'), null)
})
