import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { retryDelays } from '../../src/core/rules/retry-policy.ts'
import { afterAttempt, givesUpAt, isPaused, isProbe, nextAttemptAt } from '../../src/delivery/health.ts'
import type { Health } from '../../src/model/model.ts'

const START = Date.UTC(2026, 0, 1)
const SECOND = 1000

/** The health after attempts that failed at these seconds. */
function failedAt(...seconds: readonly number[]): Health | null {
  return seconds.reduce<Health | null>((health, second) => {
    return afterAttempt(health, { ok: false, now: START + second * SECOND })
  }, null)
}
const NINE = [0, 1, 2, 3, 4, 5, 6, 7, 8]

describe('a receiver', () => {
  test('that fails is tried as ever at first', () => {
    assert.deepEqual(failedAt(0, 3), { failures: 2, failingSince: START, pausedUntil: null })
    assert.equal(failedAt(...NINE)?.pausedUntil, null, 'nine times')
    assert.equal(failedAt(...NINE, 9)?.pausedUntil, null, 'ten times, within ten seconds')
    assert.equal(failedAt(0, 500)?.pausedUntil, null, 'twice in a long time')
  })

  test('is paused after ten failures in ten seconds or more', () => {
    const health = failedAt(...NINE, 10)
    assert.deepEqual(health, { failures: 10, failingSince: START, pausedUntil: START + 20 * SECOND })
    assert.ok(isPaused(health, START + 20 * SECOND - 1))
    assert.ok(!isProbe(health, START + 20 * SECOND - 1))
    assert.ok(!isPaused(health, START + 20 * SECOND))
    assert.ok(isProbe(health, START + 20 * SECOND), 'and then tried once')
  })

  test('is in order after any success', () => {
    assert.equal(afterAttempt(failedAt(...NINE, 10), { ok: true, now: START + 20 * SECOND }), null)
    assert.ok(!isPaused(null, START) && !isProbe(null, START))
    assert.ok(!isProbe(failedAt(0), START + 500 * SECOND), 'nor is it on probation before a pause')
  })

  test('is paused for longer and longer while probes fail, up to five minutes', () => {
    let health = failedAt(...NINE, 10)
    const pauses: number[] = []
    for (let i = 0; i < 30; i++) {
      const now = health?.pausedUntil ?? assert.fail('not paused')
      health = afterAttempt(health, { ok: false, now })
      pauses.push(((health?.pausedUntil ?? 0) - now) / SECOND)
    }
    assert.deepEqual(pauses.slice(0, 5), [10, 10, 10, 10, 12])
    assert.deepEqual(
      pauses,
      pauses.toSorted((a, b) => a - b),
    )
    assert.equal(pauses.at(-1), 300)
  })

  test('is not paused for longer by attempts that began before', () => {
    const health = failedAt(...NINE, 10)
    const late = afterAttempt(health, { ok: false, now: START + 15 * SECOND })
    assert.deepEqual(late, { failures: 11, failingSince: START, pausedUntil: health?.pausedUntil })
  })

  test('is never paused for more than five minutes, whatever its past', () => {
    const health = fc.record({
      failures: fc.nat(),
      failingSince: fc.integer({ min: 0, max: 2 * START }),
      pausedUntil: fc.constantFrom(null, START - 1, START),
    })
    fc.assert(
      fc.property(health, (health) => {
        const after = afterAttempt(health, { ok: false, now: START })
        assert.ok((after?.pausedUntil ?? 0) <= START + 300 * SECOND)
        assert.equal(after?.failures, health.failures + 1)
      }),
    )
  })
})

describe('a message that fails', () => {
  const delays = retryDelays({ retries_with_no_delay: 1, minimum_delay_retries: 1, maximum_delay_retries: 0 })
  const next = (attempts: number, retryAfterSeconds: number | null = null) => {
    const at = nextAttemptAt({ attempts, delays, retryAfterSeconds, now: START })
    return at === null ? null : (at - START) / SECOND
  }

  test('is tried again as its policy says, and then no more', () => {
    assert.deepEqual(delays, [0, 5, 5, 10, 15, 20, 25])
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((attempts) => next(attempts)),
      [...delays, null, null],
    )
  })

  test('waits for longer where the receiver asks for it, within an hour', () => {
    assert.deepEqual([next(1, 7), next(2, 3), next(7, 1_000_000), next(8, 7)], [7, 5, 3600, null])
    assert.equal(nextAttemptAt({ attempts: 1, delays, retryAfterSeconds: 0.0001, now: START }), START + 1)
  })

  test('alone, at once and every time, keeps to the default policy also when its receiver is paused', () => {
    const delays = retryDelays(null)
    let health: Health | null = null
    let attempts = 0
    const instants: number[] = []
    for (let now: number | null = START; now !== null; ) {
      assert.ok(!isPaused(health, now), `paused at attempt ${attempts + 1}`)
      instants.push((now - START) / SECOND)
      attempts += 1
      health = afterAttempt(health, { ok: false, now })
      now = nextAttemptAt({ attempts, delays, retryAfterSeconds: null, now })
    }
    assert.deepEqual(instants, [0, 0, 0, 0, 5, 10, 15, 20, 30, 45, 65, 90, 120, 150, 180])
    assert.ok(health?.pausedUntil, 'it was paused in between')
  })

  test('has waited long enough after all delays of its policy', () => {
    assert.equal(givesUpAt(START, retryDelays(null)), START + 180 * SECOND)
    assert.equal(givesUpAt(START, []), START)
  })
})
