import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Share, surplusOf } from '../../../src/storage/pooled/surplus.ts'

const surplus = (...shares: [weight: number, queues: number][]) => [
  ...surplusOf(shares.map(([weight, queues], i) => ({ name: `p${i}`, weight, queues }))).values(),
]

const shares: fc.Arbitrary<Share[]> = fc
  .array(fc.record({ weight: fc.integer({ min: 1, max: 5 }), queues: fc.nat(6) }), { minLength: 1, maxLength: 4 })
  .map((all) => all.map((share, i) => ({ name: `p${i}`, ...share })))

/** All ways to share so many queues, each pool with its share rounded up or down. */
function waysOf(all: readonly Share[]): number[][] {
  const queues = all.reduce((sum, one) => sum + one.queues, 0)
  const weights = all.reduce((sum, one) => sum + one.weight, 0)
  return all
    .map(({ weight }) => (queues * weight) / weights)
    .reduce<number[][]>(
      (ways, part) => ways.flatMap((way) => [...new Set([Math.floor(part), Math.ceil(part)])].map((n) => [...way, n])),
      [[]],
    )
    .filter((way) => way.reduce((sum, n) => sum + n, 0) === queues)
}

describe('how many queues go from pool to pool', () => {
  test('until they are in proportion to the weights', () => {
    assert.deepEqual(surplus([1, 4], [1, 0]), [2, -2])
    assert.deepEqual(surplus([1, 0], [3, 8]), [-2, 2])
    assert.deepEqual(surplus([1, 5], [1, 5]), [0, 0])
    assert.deepEqual(surplus([7, 3]), [0])
    assert.deepEqual(surplus([1, 0], [2, 0]), [0, 0])
  })

  test('what one has more than its share it keeps, where that need not move', () => {
    assert.deepEqual(surplus([1, 2], [1, 1]), [0, 0])
    assert.deepEqual(surplus([1, 1], [1, 2]), [0, 0])
    assert.deepEqual(surplus([100, 0], [1, 1]), [0, 0], 'a share of less than one is rounded up, too')
  })

  test('weights may be of any size', () => {
    assert.deepEqual(surplus([4_294_967_295, 1_000_000], [4_294_967_295, 0]), [500_000, -500_000])
  })

  test('with the fewest moves', () => {
    fc.assert(
      fc.property(shares, (all) => {
        const found = all.map(({ name, queues }) => queues - (surplusOf(all).get(name) ?? 0))
        const ways = waysOf(all)
        assert(
          ways.some((way) => way.every((n, i) => n === found[i])),
          `${found}`,
        )
        const movesOf = (way: readonly number[]) =>
          all.reduce((sum, { queues }, i) => sum + Math.max(0, queues - (way[i] ?? 0)), 0)
        assert.equal(movesOf(found), Math.min(...ways.map(movesOf)))
      }),
    )
  })
})
