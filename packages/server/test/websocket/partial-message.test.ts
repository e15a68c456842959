/** What is counted of a message that has come in part: bytes of frames with their heads, of 6, 8 or 14 bytes. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { PartialMessage } from '../../src/websocket/partial-message.ts'

let budget: MemoryBudget
let partial: PartialMessage

beforeEach(() => {
  budget = new MemoryBudget({ bytes: 100_000, clock: new ManualClock(0) })
  partial = new PartialMessage(budget, () => {})
})

describe('a message in part', () => {
  test('counts what has come of it, until it is whole', () => {
    partial.read(30_000)
    partial.read(30_000)
    assert.equal(partial.bytes, 60_000)
    partial.completed(69_986)
    partial.read(10_000)
    assert.deepEqual([partial.bytes, budget.held], [0, 0])
  })

  test('is what is left of a piece behind whole messages, pings and pongs', () => {
    partial.completed(100)
    partial.completed(1_000)
    partial.passed(4)
    partial.read(106 + 1_008 + 10 + 50)
    assert.equal(partial.bytes, 50)
  })

  test('goes on behind a ping that stands between its pieces', () => {
    partial.read(1_000)
    partial.passed(0)
    partial.read(506)
    assert.equal(partial.bytes, 1_500)
  })

  test('leaves no more than its last piece, however many heads its fragments had', () => {
    partial.read(1_000)
    partial.completed(500)
    partial.read(600)
    assert.ok(partial.bytes <= 600, String(partial.bytes))
    partial.completed(100)
    partial.read(106)
    assert.ok(partial.bytes <= 106, String(partial.bytes))
  })

  test('counts what each piece takes beside its bytes', () => {
    for (let i = 0; i < 100; i++) partial.read(1)
    assert.ok(budget.held > 25_000, String(budget.held))
    partial.release()
    assert.equal(budget.held, 0)
  })

  test('is refused where there is no room', () => {
    assert.equal(partial.read(90_000), true)
    assert.equal(partial.read(20_000), false)
    assert.equal(budget.held, 0)
  })
})
