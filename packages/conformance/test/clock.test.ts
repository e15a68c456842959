import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock } from '../src/index.ts'

describe('the manual clock', () => {
  test('fires timers in the order of their instants, each at its own', () => {
    const clock = new ManualClock(0)
    const fired: [string, number][] = []
    clock.at(20, () => fired.push(['second', clock.now()]))
    clock.at(10, () => {
      fired.push(['first', clock.now()])
      clock.at(15, () => fired.push(['set on the way', clock.now()]))
    })
    clock.at(31, () => fired.push(['later', clock.now()]))
    clock.moveTo(30)
    assert.deepEqual(fired, [
      ['first', 10],
      ['set on the way', 15],
      ['second', 20],
    ])
    assert.equal(clock.now(), 30)
  })

  test('fires a timer of the past in a later turn, once', async () => {
    const clock = new ManualClock(100)
    let fired = 0
    clock.at(100, () => {
      fired += 1
    })
    assert.equal(fired, 0)
    await turn()
    clock.advance(1)
    await turn()
    assert.equal(fired, 1)
  })

  test('a cancelled timer does not fire', async () => {
    const clock = new ManualClock(0)
    clock.at(10, () => assert.fail()).cancel()
    clock.at(0, () => assert.fail()).cancel()
    clock.moveTo(10)
    await turn()
  })

  test('does not go back', () => {
    const clock = new ManualClock(10)
    assert.throws(() => clock.moveTo(9), RangeError)
  })
})
