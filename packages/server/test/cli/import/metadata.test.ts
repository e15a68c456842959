import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changesBetween, ownMetadata } from '../../../src/cli/import/metadata.ts'

test('what is but the default of the source is left to the destination', () => {
  const defaults = { _default_message_ttl: 3600, _dead_letter_queue: null }
  const shown = { owner: null, _default_message_ttl: 3600, _dead_letter_queue: 'dead', _flavor: 'gold' }
  assert.deepEqual(ownMetadata(shown, defaults), { owner: null, _dead_letter_queue: 'dead', _flavor: 'gold' })
})

test('changes are what has changed since, and leave alone what somebody else has set', () => {
  assert.deepEqual(
    changesBetween({ a: 1, b: [1], c: 1, 'd/~': 1 }, { b: [1], c: 2, e: 0 }, { a: 1, c: 1, 'd/~': 1, x: 1 }),
    [
      { op: 'remove', path: '/metadata/a' },
      { op: 'remove', path: '/metadata/d~1~0' },
      { op: 'add', path: '/metadata/c', value: 2 },
      { op: 'add', path: '/metadata/e', value: 0 },
    ],
  )
  assert.deepEqual(changesBetween({ a: 1 }, {}, {}), [])
})
