import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { COUNTED, type Counted, MessageRates, STEP_SECONDS, STEPS } from '../../src/core/message-rates.ts'
import type { QueueKey } from '../../src/model/model.ts'

const STEP = STEP_SECONDS * 1000
const START = 1_000 * STEP
const key = (name: string): QueueKey => ({ project: 'p', kind: 'queue', name })
const NOTHING = { claimed: [], deleted: [], delivered: [] }

describe('rates of a queue', () => {
  test('are what was counted in each step that is over', () => {
    const rates = new MessageRates(START)
    rates.count(key('q'), 'posted', 3, START + 1)
    rates.count(key('q'), 'posted', 4, START + STEP - 1)
    rates.count(key('q'), 'claimed', 5, START + STEP)
    assert.deepEqual(rates.of(key('q'), START + STEP - 1), { until: START, posted: [], ...NOTHING })
    const { until, ...counts } = rates.of(key('q'), START + 3 * STEP)
    assert.equal(until, START + 3 * STEP)
    assert.deepEqual(counts, { posted: [7, 0, 0], claimed: [0, 5, 0], deleted: [0, 0, 0], delivered: [0, 0, 0] })
  })

  test('are its own: names, projects, and topics are told apart', () => {
    const rates = new MessageRates(START)
    rates.count(key('q'), 'posted', 1, START)
    for (const other of [key('p'), { ...key('q'), project: 'o' }, { ...key('q'), kind: 'topic' as const }]) {
      assert.deepEqual(rates.of(other, START + STEP).posted, [0])
    }
  })

  test('are those of a list of everything that happened, whatever happened', () => {
    const event = fc.record({
      queue: fc.constantFrom('a', 'b'),
      what: fc.constantFrom(...COUNTED),
      messages: fc.nat(20),
      passes: fc.oneof(fc.nat(2 * STEP), fc.nat(3 * STEPS * STEP)),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.nat(2 * STEPS * STEP), (events, rest) => {
        const rates = new MessageRates(START)
        const happened: { queue: string; what: Counted; messages: number; step: number }[] = []
        let now = START
        for (const { passes, ...one } of events) {
          now += passes
          rates.count(key(one.queue), one.what, one.messages, now)
          happened.push({ ...one, step: Math.floor(now / STEP) })
        }
        now += rest
        const end = Math.floor(now / STEP)
        const first = Math.max(START / STEP, end - STEPS)
        for (const queue of ['a', 'b']) {
          const expected = COUNTED.map((what) =>
            Array.from({ length: end - first }, (_, i) =>
              happened
                .filter((one) => one.queue === queue && one.what === what && one.step === first + i)
                .reduce((sum, { messages }) => sum + messages, 0),
            ),
          )
          const { until: _, ...counts } = rates.of(key(queue), now)
          assert.deepEqual(counts, Object.fromEntries(COUNTED.map((what, i) => [what, expected[i]])))
        }
      }),
    )
  })

  test('are forgotten when a thousand others were used since, and then say so by being shorter', () => {
    const rates = new MessageRates(START)
    rates.count(key('idle'), 'posted', 1, START)
    rates.count(key('busy'), 'posted', 1, START)
    for (let i = 0; i < 999; i++) {
      rates.count(key('busy'), 'posted', 1, START + STEP)
      rates.count(key(`other ${i}`), 'posted', 1, START + STEP)
    }
    const now = START + 4 * STEP
    assert.deepEqual(rates.of(key('busy'), now).posted, [1, 999, 0, 0])
    assert.deepEqual(rates.of(key('idle'), now).posted, [0, 0])
    rates.count(key('idle'), 'posted', 2, START + 2 * STEP)
    assert.deepEqual(rates.of(key('idle'), now).posted, [2, 0])
  })
})

describe('what processes tell each other', () => {
  test('shows in its step, and is told once', () => {
    const [here, there] = [new MessageRates(START), new MessageRates(START)]
    there.takeUntold()
    there.count(key('q'), 'posted', 3, START + 1)
    there.count(key('q'), 'delivered', 2, START + 2)
    here.count(key('q'), 'posted', 10, START + 3)
    here.add(there.takeUntold())
    assert.deepEqual(there.takeUntold(), [])
    const now = START + 2 * STEP
    assert.deepEqual(here.of(key('q'), now), {
      until: now,
      posted: [13, 0],
      claimed: [0, 0],
      deleted: [0, 0],
      delivered: [2, 0],
    })
    assert.deepEqual(there.of(key('q'), now).posted, [3, 0])
    here.takeUntold()
    here.add([['queue 1 q p', START / STEP, 'posted', 1]])
    assert.deepEqual(here.takeUntold(), [], 'what was heard is not told again')
  })
})
