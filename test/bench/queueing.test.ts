import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exponential, randomFrom, Simulation, Station } from '../../bench/simulation/queueing.ts'

const JOBS = 400_000

/** Mean seconds that jobs wait which come at random, `rate` a second. */
function meanWait({
  servers,
  rate,
  service,
}: {
  servers: number
  rate: number
  service: (random: () => number) => number
}) {
  const simulation = new Simulation()
  const station = new Station(simulation, servers)
  const random = randomFrom(7)
  let waited = 0
  let begun = 0
  const arrive = (left: number) => {
    const since = simulation.now
    station.enter(() => {
      waited += simulation.now - since
      begun += 1
      simulation.after(service(random), () => station.leave())
    })
    if (left > 1) simulation.after(exponential(random, 1 / rate), () => arrive(left - 1))
  }
  arrive(JOBS)
  simulation.runUntil(Number.POSITIVE_INFINITY)
  assert.equal(begun, JOBS)
  return waited / JOBS
}

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual / expected - 1) < 0.03, `${actual} is not near ${expected}`)
}

describe('jobs wait as long as the formulas of queueing say:', () => {
  // A job takes a second on average, so the rate is the load of a server.
  const memoryless = (random: () => number) => exponential(random, 1)

  for (const load of [0.5, 0.8]) {
    test(`M/M/1 at a load of ${load}`, () => {
      assertNear(meanWait({ servers: 1, rate: load, service: memoryless }), load / (1 - load))
    })

    test(`M/D/1 at a load of ${load}`, () => {
      assertNear(meanWait({ servers: 1, rate: load, service: () => 1 }), load / (2 * (1 - load)))
    })

    test(`M/M/2 at a load of ${load}`, () => {
      assertNear(meanWait({ servers: 2, rate: 2 * load, service: memoryless }), load ** 2 / (1 - load ** 2))
    })
  }
})

test('a station counts how long its servers were busy', () => {
  const simulation = new Simulation()
  const station = new Station(simulation, 2)
  const ended: number[] = []
  for (const seconds of [3, 1, 1]) station.serve(seconds, () => ended.push(simulation.now))
  simulation.runUntil(10)
  assert.deepEqual([ended, station.busySeconds, simulation.now], [[1, 2, 3], 5, 10])
})

test('events happen in time, those of one instant in their order, and nothing happens behind the end', () => {
  const simulation = new Simulation()
  const seen: string[] = []
  for (const [seconds, name] of [
    [2, 'c'],
    [1, 'a'],
    [1, 'b'],
    [4, 'd'],
  ] as const) {
    simulation.after(seconds, () => seen.push(`${name}${simulation.now}`))
  }
  simulation.runUntil(3)
  assert.deepEqual(seen, ['a1', 'b1', 'c2'])
})

test('the same seed gives the same numbers, another one others', () => {
  const numbers = (seed: number) => Array.from({ length: 5 }, randomFrom(seed))
  assert.deepEqual(numbers(1), numbers(1))
  assert.notDeepEqual(numbers(1), numbers(2))
  const random = randomFrom(3)
  const mean = Array.from({ length: 100_000 }, random).reduce((sum, one) => sum + one, 0) / 100_000
  assertNear(mean, 0.5)
})
