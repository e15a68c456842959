import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { Census, type CensusParts } from '../../src/core/census.ts'
import type { CensusStore, CountedQueue } from '../../src/storage/contract.ts'

/** A store of such queues, in order; `asked` counts its pages. */
function storeOf(queues: readonly CountedQueue[]): CensusStore & { pages: number } {
  const place = ({ project, kind, name }: Pick<CountedQueue, 'project' | 'kind' | 'name'>) =>
    JSON.stringify([project, kind, name])
  return {
    pages: 0,
    async queues({ after, limit }) {
      this.pages += 1
      const from = after === null ? 0 : queues.findIndex((queue) => place(queue) === place(after)) + 1
      return queues.slice(from, from + limit)
    },
    owed: async () => ({ feed: 3, retries: 1 }),
  }
}

function queue(project: string, name: string, free: number, oldestAt: number | null = null): CountedQueue {
  return { project, kind: 'queue', name, free, claimed: 1, oldestAt }
}

function censusOf(store: CensusStore, parts: Partial<CensusParts> = {}) {
  const clock = new ManualClock(1_000_000)
  const census = new Census({
    store,
    clock,
    startTimeLimit: (milliseconds, callback) => clock.at(clock.now() + milliseconds, callback),
    maxProjects: 2,
    queues: [],
    report: assert.ifError,
    ...parts,
  })
  return { clock, census }
}

test('the projects with the most messages are told of, and the sum of all others', async () => {
  const store = storeOf([
    queue('a', 'one', 1),
    queue('b', 'one', 5, 400),
    queue('b', 'two', 5, 300),
    queue('c', 'one', 2, 500),
    queue('d', 'one', 9),
    queue('other', 'one', 100, 100),
    queue('own\n', 'one', 1000),
  ])
  const { census } = censusOf(store, {
    queues: [
      { project: 'b', queue: 'two' },
      { project: 'x', queue: 'y' },
    ],
  })
  const figures = await census.figures()
  assert.deepEqual(figures?.projects, [
    { project: 'b', queues: 2, free: 10, claimed: 2, oldestAt: 300 },
    { project: 'd', queues: 1, free: 9, claimed: 1, oldestAt: null },
  ])
  // A project that is called `other` is among them.
  assert.deepEqual(figures?.others, { queues: 3, free: 103, claimed: 3, oldestAt: 100 })
  assert.deepEqual(figures?.queues, [queue('b', 'two', 5, 300)])
  assert.deepEqual(figures?.owed, { feed: 3, retries: 1 })
})

test('many queues are counted page by page, once in ten seconds however many ask', async () => {
  const names = Array.from({ length: 1200 }, (_, i) => String(i).padStart(4, '0'))
  const store = storeOf(names.map((name) => queue(`p${name.slice(0, 1)}`, name, 1)))
  const { census, clock } = censusOf(store)
  const [one, other] = await Promise.all([census.figures(), census.figures()])
  assert.equal(one, other)
  assert.equal(one?.projects[0]?.free, 1000)
  assert.equal(store.pages, 3)
  clock.advance(9_999)
  assert.equal(await census.figures(), one)
  clock.advance(1)
  assert.notEqual(await census.figures(), one)
  assert.equal(store.pages, 6)
})

test('who asks gets the figures before when counting takes too long, or fails', async () => {
  const store = storeOf([queue('a', 'one', 1)])
  const troubles: unknown[] = []
  const { census, clock } = censusOf(store, { report: (error) => troubles.push(error) })
  const before = await census.figures()
  clock.advance(10_000)
  store.owed = () => new Promise(() => {})
  const asked = census.figures()
  clock.advance(1_000)
  assert.equal(await asked, before)
  const failing = censusOf(
    { ...store, owed: () => Promise.reject(new Error('away')) },
    { report: (e) => troubles.push(e) },
  )
  assert.equal(await failing.census.figures(), null)
  assert.match(String(troubles), /^Error: away$/)
})
