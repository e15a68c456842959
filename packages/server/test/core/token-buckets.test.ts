import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TokenBuckets } from '../../src/core/rules/token-buckets.ts'

const START = 1_000_000

describe('token buckets', () => {
  test('admit what flows in within a second at once, and then as it flows', () => {
    const buckets = new TokenBuckets(4)
    for (let i = 0; i < 4; i++) assert.equal(buckets.take('a', 1, START), 0)
    assert.equal(buckets.take('a', 1, START), 250)
    assert.equal(buckets.take('a', 1, START + 100), 150)
    assert.equal(buckets.take('a', 1, START + 250), 0)
    assert.equal(buckets.take('a', 1, START + 250), 250)
  })

  test('hold no more than a second of it, however long nobody asks', () => {
    const buckets = new TokenBuckets(2)
    assert.equal(buckets.take('a', 2, START), 0)
    assert.equal(buckets.take('a', 2, START + 3_600_000), 0)
    assert.equal(buckets.take('a', 1, START + 3_600_000), 500)
  })

  test('let a batch that is larger than a bucket pass, and make up for it', () => {
    const buckets = new TokenBuckets(10)
    assert.equal(buckets.take('a', 100, START), 0)
    assert.equal(buckets.take('a', 1, START), 9_100)
    assert.equal(buckets.take('a', 100, START + 9_099), 1)
    assert.equal(buckets.take('a', 100, START + 9_100), 0)
  })

  test('admit the rate over time, whatever the batches', () => {
    const buckets = new TokenBuckets(50)
    let admitted = 0
    for (let ms = 0; ms < 100_000; ms += 7) {
      const size = (ms % 23) + 1
      if (buckets.take('a', size, START + ms) === 0) admitted += size
    }
    assert.ok(admitted >= 100 * 50 && admitted <= 101 * 50 + 23, String(admitted))
  })

  test('are one for each', () => {
    const buckets = new TokenBuckets(1)
    assert.equal(buckets.take('a', 1, START), 0)
    assert.equal(buckets.take('b', 1, START), 0)
    assert.ok(buckets.take('a', 1, START) > 0)
    assert.ok(buckets.take('b', 1, START) > 0)
  })

  test('are forgotten when many others were used since, the one in use never', () => {
    const buckets = new TokenBuckets(1)
    buckets.take('idle', 1_000_000, START)
    buckets.take('busy', 1_000_000, START)
    for (let i = 0; i < 10_000; i++) {
      buckets.take(`other ${i}`, 1, START)
      if (i % 100 === 0) assert.ok(buckets.take('busy', 1, START) > 0)
    }
    assert.ok(buckets.take('busy', 1, START) > 0)
    assert.equal(buckets.take('idle', 1, START), 0)
  })
})
