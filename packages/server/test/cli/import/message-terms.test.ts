import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remainingDelay, remainingLife, wholeSeconds } from '../../../src/cli/import/message-terms.ts'
import { parseJson } from '../../../src/model/json.ts'

test('a message lives as long as it would have, and 60 seconds at least', () => {
  assert.equal(remainingLife({ ttl: 3600, age: 100 }), 3500)
  assert.equal(remainingLife({ ttl: 3600, age: 3590 }), 60)
  // MongoDB shows it for a while after its end.
  assert.equal(remainingLife({ ttl: 1_209_600, age: 1_209_650 }), 60)
})

test('a message whose life a claim has counted anew gets all of it', () => {
  assert.equal(remainingLife({ ttl: 360, age: 9900 }), 360)
  assert.equal(remainingLife({ ttl: 30, age: 9900 }), 60)
})

test('a delay goes on as the queue has it, at the longest where that is over, and ends before the message', () => {
  assert.equal(remainingDelay(20, { queueDelay: 300, life: 3600 }), 280)
  assert.equal(remainingDelay(400, { queueDelay: 300, life: 3600 }), 500)
  assert.equal(remainingDelay(20, { queueDelay: 300, life: 60 }), 59)
})

test('fractions of seconds, as Swift shows them, are dropped', () => {
  assert.equal(wholeSeconds(parseJson('12.75')), 12)
  assert.equal(wholeSeconds(12), 12)
})
