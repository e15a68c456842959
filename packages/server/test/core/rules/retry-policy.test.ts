import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { retryDelays, retryPolicyProblem, selectRetryPolicy, spanOf } from '../../../src/core/rules/retry-policy.ts'
import { KeptNumber } from '../../../src/model/json.ts'
import type { Json, JsonObject } from '../../../src/model/model.ts'

const repeated = (count: number, delay: number) => Array<number>(count).fill(delay)
const upTo = (end: number, first: number) => Array.from({ length: (end - first) / 5 }, (_, i) => first + 5 * i)

/** The third phase alone. */
function backoff(name: string, min: number, max: number): readonly number[] {
  return retryDelays({
    retries_with_no_delay: 0,
    minimum_delay_retries: 0,
    minimum_delay: min,
    retry_backoff_function: name,
    maximum_delay: max,
    maximum_delay_retries: 0,
  })
}

describe('the delays of a retry policy', () => {
  test('are those of upstream where nothing is said', () => {
    const delays = [0, 0, 0, 5, 5, 5, 5, 10, 15, 20, 25, 30, 30, 30]
    assert.deepEqual(retryDelays(null), delays)
    assert.deepEqual(retryDelays({ unknown: 1 }), delays)
    assert.equal(spanOf(delays), 180)
  })

  test('come in four phases, each as long as the policy says', () => {
    const policy = {
      retries_with_no_delay: 1,
      minimum_delay_retries: 2,
      minimum_delay: 20,
      maximum_delay: 35,
      maximum_delay_retries: 4,
    }
    assert.deepEqual(retryDelays(policy), [0, 20, 20, 20, 25, 30, 35, 35, 35, 35])
  })

  test('a negative count is none, a negative delay 0', () => {
    const counts = { retries_with_no_delay: -1, minimum_delay_retries: -7, maximum_delay_retries: -1 }
    assert.deepEqual(retryDelays(counts), [5, 10, 15, 20, 25])
    for (const name of ['arithmetic', 'geometric', 'exponential', 'linear']) {
      assert.deepEqual(backoff(name, -5, 5), [0], name)
      assert.deepEqual(backoff(name, -50, -5), [], name)
    }
  })

  const vectors: [min: number, max: number, linear: number[], arithmetic: number[], geometric: number[]][] = [
    [5, 30, upTo(30, 5), [5, 7, 12, 20, 30], [5, 7, 12, 19, 30]],
    [5, 15, [5, 10], [5, 15], [5, 15]],
    [1, 11, [1, 6], [1, 11], [1, 10]],
    [10, 60, upTo(60, 10), [10, 11, 13, 16, 21, 26, 33, 41, 50, 60], [10, 12, 14, 18, 22, 27, 33, 40, 49, 60]],
    [
      20,
      80,
      upTo(80, 20),
      [20, 20, 22, 25, 29, 33, 39, 45, 52, 60, 70, 80],
      [20, 22, 25, 29, 33, 37, 42, 48, 54, 62, 70, 80],
    ],
    [
      30,
      100,
      upTo(100, 30),
      [30, 30, 32, 34, 37, 41, 46, 51, 57, 64, 72, 80, 90, 100],
      [30, 32, 36, 39, 43, 47, 52, 57, 62, 69, 75, 83, 91, 99],
    ],
  ]
  for (const [min, max, linear, arithmetic, geometric] of vectors) {
    test(`from ${min} to ${max} s grow as they do upstream`, () => {
      assert.deepEqual(backoff('linear', min, max), linear)
      assert.deepEqual(backoff('arithmetic', min, max), arithmetic)
      assert.deepEqual(backoff('geometric', min, max), geometric)
      assert.deepEqual(backoff('exponential', min, max), geometric)
    })
  }

  test('a curve from 0 starts with a second, and the last phase comes', () => {
    assert.deepEqual(backoff('geometric', 0, 10), [1, 10])
    assert.deepEqual(backoff('exponential', 0, 30).slice(0, 2), [1, 1])
    const policy = { minimum_delay: 0, retry_backoff_function: 'exponential' }
    assert.deepEqual(retryDelays(policy).slice(-3), repeated(3, 30))
  })

  test('are whole seconds within bounds, whatever a policy says', () => {
    const number = fc.oneof(
      fc.integer(),
      fc.integer({ min: -20, max: 700 }),
      fc.constantFrom<unknown>(
        null,
        'x',
        1.5,
        true,
        new KeptNumber('9223372036854775807'),
        new KeptNumber('1e400'),
        {},
      ),
    )
    const policy = fc.record(
      {
        retries_with_no_delay: number,
        minimum_delay_retries: number,
        minimum_delay: number,
        retry_backoff_function: fc.constantFrom('linear', 'arithmetic', 'geometric', 'exponential', 'cubic', null),
        maximum_delay: number,
        maximum_delay_retries: number,
      },
      { requiredKeys: [], noNullPrototype: true },
    )
    fc.assert(
      fc.property(policy, (policy) => {
        const delays = retryDelays(policy as unknown as JsonObject)
        assert.ok(delays.length <= 1000 && spanOf(delays) <= 604_800)
        assert.ok(delays.every((delay) => Number.isInteger(delay) && delay >= 0 && delay <= 86_400))
      }),
      { numRuns: 3000 },
    )
  })

  test('are all there where the policy passes', () => {
    const policy = { retries_with_no_delay: 989, minimum_delay_retries: 3 }
    assert.equal(retryPolicyProblem(policy), null)
    assert.equal(retryDelays(policy).length, 1000)
  })
})

describe('a retry policy', () => {
  const problems: [problem: string | null, policy: Json][] = [
    [null, { minimum_delay: 5, maximum_delay: 15, maximum_delay_retries: -1, unknown: [] }],
    [null, {}],
    ['retry_policy must be a dict.', 'often'],
    ['retry_policy must be a dict.', [1]],
    ['Retry policy: minimum_delay must be a integer.', { minimum_delay: null }],
    ['Retry policy: maximum_delay_retries must be a integer.', { maximum_delay_retries: '3' }],
    ['retry_backoff_function must be a string.', { retry_backoff_function: null }],
    ['invalid retry_backoff_function.', { retry_backoff_function: 'cubic' }],
    ['ignore_subscription_override must be a boolean.', { ignore_subscription_override: 1 }],
    ['minimum_delay must less than maximum_delay.', { minimum_delay: 31 }],
    ['invalid minimum_delay and maximum_delay.', { maximum_delay: 14 }],
    [
      'Retry policy: maximum_delay must not be more than 86400 seconds.',
      { minimum_delay: 86_391, maximum_delay: 86_401 },
    ],
    ['Retry policy: it must not ask for more than 1000 retries.', { retries_with_no_delay: 990 }],
    ['Retry policy: it must not ask for more than 1000 retries.', { minimum_delay: 1, maximum_delay: 86_400 }],
    [
      'Retry policy: its delays must not be more than 604800 seconds together.',
      { minimum_delay: 80_000, maximum_delay: 80_010 },
    ],
  ]
  for (const [problem, policy] of problems) {
    test(`${JSON.stringify(policy)} is ${problem === null ? 'one' : `refused: ${problem}`}`, () => {
      assert.equal(retryPolicyProblem(policy), problem)
    })
  }

  for (const nothing of [null, '', 0, false, [], {}]) {
    test(`${JSON.stringify(nothing)} is none`, () => {
      assert.equal(retryPolicyProblem(nothing), null)
      assert.equal(selectRetryPolicy(null, nothing), null)
    })
  }
})

describe('the policy that holds', () => {
  const own = { minimum_delay: 1 }
  const ofQueue = { minimum_delay: 2 }
  const ignoring = { ignore_subscription_override: true }

  test('is that of the subscription, then that of the queue, then none', () => {
    assert.deepEqual(selectRetryPolicy(own, ofQueue), own)
    assert.deepEqual(selectRetryPolicy(null, ofQueue), ofQueue)
    assert.equal(selectRetryPolicy(null, undefined), null)
  })

  test('is that of the queue where either says so', () => {
    assert.deepEqual(selectRetryPolicy(own, { ...ofQueue, ...ignoring }), { ...ofQueue, ...ignoring })
    assert.deepEqual(selectRetryPolicy({ ...own, ...ignoring }, ofQueue), ofQueue)
    assert.equal(selectRetryPolicy({ ...own, ...ignoring }, undefined), null)
    const declined = { ...ofQueue, ignore_subscription_override: false }
    assert.deepEqual(selectRetryPolicy(own, declined), own)
  })
})
