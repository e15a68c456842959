import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { MemoryBudget, PATIENCE_MS } from '../../src/platform/memory-budget.ts'

function open(bytes = 100): { budget: MemoryBudget; clock: ManualClock } {
  const clock = new ManualClock(1_000_000)
  return { budget: new MemoryBudget({ bytes, clock }), clock }
}

/** Whether the promise is still pending when all that was due has run. */
async function isPending(promise: unknown): Promise<boolean> {
  const late = Symbol()
  await new Promise(setImmediate)
  return (await Promise.race([promise, Promise.resolve(late)])) === late
}

describe('a budget of memory', () => {
  test('gives out as much as there is, and again what was given back', () => {
    const { budget } = open()
    const first = budget.hold(60, null)
    assert.equal(budget.hold(60, null), null)
    const second = budget.hold(40, null)
    assert.equal(budget.held, 100)
    first?.release()
    first?.release()
    second?.release()
    assert.equal(budget.held, 0)
  })

  test('counts what is there already, even beyond the whole', () => {
    const { budget } = open()
    const answer = budget.charge(150, null)
    assert.equal(budget.held, 150)
    assert.equal(budget.hold(1, null), null)
    answer.release()
    assert.ok(budget.hold(100, null))
  })

  test('takes away, oldest first, what has made no progress for too long, and only when it is wanted', () => {
    const { budget, clock } = open()
    const lost: string[] = []
    const [oldest, busy] = [budget.hold(40, () => lost.push('oldest')), budget.hold(20, () => lost.push('busy'))]
    budget.hold(20, () => lost.push('idle'))
    assert.ok(oldest)
    clock.advance(PATIENCE_MS)
    busy?.progress(20)
    budget.hold(20, () => lost.push('young'))
    assert.deepEqual(lost, [])
    assert.ok(budget.hold(40, null))
    assert.deepEqual(lost, ['oldest'])
    assert.ok(budget.hold(20, null))
    assert.deepEqual(lost, ['oldest', 'idle'])
    assert.equal(budget.hold(20, null), null)
    assert.deepEqual(lost, ['oldest', 'idle'])
  })

  test('does not take away what is kept', () => {
    const { budget, clock } = open()
    const kept = budget.hold(100, () => assert.fail('it is being worked on'))
    kept?.keep()
    clock.advance(10 * PATIENCE_MS)
    assert.equal(budget.hold(1, null), null)
  })

  test('counts nothing of what was taken away and is used or given back later', () => {
    const { budget, clock } = open()
    const taken = budget.hold(100, () => {})
    clock.advance(PATIENCE_MS)
    const next = budget.hold(30, null)
    taken?.progress(50)
    taken?.release()
    assert.equal(budget.held, 30)
    next?.release()
    assert.equal(budget.held, 0)
  })

  test('serves who waits in the order of their coming', async () => {
    const { budget } = open()
    const all = budget.hold(100, null)
    const [first, second] = [budget.wait(25), budget.wait(1)]
    assert.ok(await isPending(first))
    all?.progress(90)
    // The second would fit, but it would keep the first from its turn.
    assert.ok(await isPending(second))
    all?.progress(75)
    ;(await first).release()
    ;(await second).release()
    assert.equal(budget.held, 75)
  })

  test('lets nobody wait for more than a quarter', async () => {
    const { budget } = open()
    ;(await budget.wait(1_000)).release()
    assert.equal(budget.held, 0)
  })

  test('loses patience on behalf of who waits', async () => {
    const { budget, clock } = open()
    let isLost = false
    budget.hold(100, () => {
      isLost = true
    })
    const waiting = budget.wait(10)
    assert.ok(await isPending(waiting))
    clock.advance(PATIENCE_MS)
    assert.equal(isLost, true)
    assert.ok(await waiting)
  })
})
