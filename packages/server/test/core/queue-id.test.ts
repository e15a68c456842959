import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { QueueKey } from '../../src/model/model.ts'
import { queueId } from '../../src/model/queue-id.ts'

test('two queues have the same id only if they are the same', () => {
  // Few letters, so that names and projects often run into each other.
  const word = fc.string({ unit: fc.constantFrom('a', '1', ' ', '\n', '\u001f', 'queue', '😀'), maxLength: 6 })
  const key: fc.Arbitrary<QueueKey> = fc.record({
    project: word,
    kind: fc.constantFrom('queue', 'topic'),
    name: word,
  })
  fc.assert(
    fc.property(key, key, (one, other) => {
      const isSame = one.project === other.project && one.kind === other.kind && one.name === other.name
      assert.equal(queueId(one) === queueId(other), isSame)
    }),
    { numRuns: 2000 },
  )
  assert.notEqual(
    queueId({ project: 'P1', kind: 'queue', name: 'orders P2' }),
    queueId({ project: 'P2 P1', kind: 'queue', name: 'orders' }),
  )
})
