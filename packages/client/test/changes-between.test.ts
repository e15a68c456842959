import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changesBetween } from 'zaqar-client/http'

test('changes are what differs, and leave alone what somebody else has set', () => {
  const present = { a: 1, c: 1, 'd/~': 1, x: 1 }
  assert.deepEqual(changesBetween({ a: 1, b: [1], c: 1, 'd/~': 1 }, { b: [1], c: 2, e: 0 }, { present }), [
    { op: 'remove', path: '/metadata/a' },
    { op: 'remove', path: '/metadata/d~1~0' },
    { op: 'add', path: '/metadata/c', value: 2 },
    { op: 'add', path: '/metadata/e', value: 0 },
  ])
})

test('what is not there any more is not removed, and without a word of that all of it is', () => {
  assert.deepEqual(changesBetween({ a: 1 }, {}, { present: {} }), [])
  assert.deepEqual(changesBetween({ a: 1 }, {}), [{ op: 'remove', path: '/metadata/a' }])
})

test('values are the same where they are written the same', () => {
  assert.deepEqual(changesBetween({ toString: 1, n: { b: 1, a: 2 } }, { toString: 1, n: { b: 1, a: 2 } }), [])
  const stringify = (value: unknown) => String(value).toLowerCase()
  assert.deepEqual(changesBetween({ a: 'X' }, { a: 'x' }, { stringify }), [])
})
