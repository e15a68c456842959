import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Family, Sample, Scope } from '../../src/metrics/family.ts'
import { mergedFamilies, withGone } from '../../src/metrics/merged.ts'

function family(name: string, scope: Scope, samples: readonly Sample[], type: Family['type'] = 'counter'): Family {
  return { name, help: name, type, scope, samples }
}

function valuesOf(families: readonly Family[]): Record<string, unknown> {
  return Object.fromEntries(
    families.flatMap(({ name, samples }) =>
      samples.map(([suffix, labels, value]) => [`${name}${suffix} ${Object.values(labels).join()}`, value]),
    ),
  )
}

/** What a worker tells that has served so many requests. */
function told(requests: number): Family[] {
  return [
    family('requests', 'sum', [['', { status: '200' }, requests]]),
    family('took', 'sum', [['_sum', {}, requests / 10]], 'histogram'),
    family('waiting', 'sum', [['', {}, 1]], 'gauge'),
    family('memory', 'worker', [['', {}, 100 + requests]], 'gauge'),
    family('messages', 'store', [['', {}, 7]], 'gauge'),
  ]
}

test('several workers are one service: sums, a series for each, and what is the same whoever tells it', () => {
  const merged = mergedFamilies(
    [
      { worker: 1, families: told(5) },
      { worker: 2, families: [...told(3), family('more', 'sum', [['', { status: '500' }, 1]])] },
    ],
    [],
  )
  assert.deepEqual(valuesOf(merged), {
    'requests 200': 8,
    'took_sum ': 0.8,
    'waiting ': 2,
    'memory 1': 105,
    'memory 2': 103,
    'messages ': 7,
    'more 500': 1,
  })
})

test('what a worker has counted that has ended stays counted, and nothing else of it', () => {
  const gone = withGone(withGone([], told(5)), told(2))
  assert.deepEqual(valuesOf(gone), { 'requests 200': 7, 'took_sum ': 0.7 })
  const merged = mergedFamilies([{ worker: 1, families: told(1) }], gone)
  assert.deepEqual(valuesOf(merged), {
    'requests 200': 8,
    'took_sum ': 0.7999999999999999,
    'waiting ': 1,
    'memory 1': 101,
    'messages ': 7,
  })
})
