import assert from 'node:assert/strict'
import type { CensusStore, CountedQueue } from 'zaqar/storage'
import type { Scene } from '../scene.ts'
import type { It } from './case.ts'

/** Cases of an engine that tells of all projects; on another they pass. */
export function censusCases(it: It): void {
  const ofCensus = (name: string, run: (scene: Scene, census: CensusStore) => Promise<void>) =>
    it(name, async (scene) => {
      const { census } = scene.storage
      if (census !== undefined) await run(scene, census)
    })
  const countsOf = async (census: CensusStore) =>
    (await census.queues({ after: null, limit: 100 })).map(
      ({ project, kind, name, free, claimed }) => `${project} ${kind} ${name}: ${free} ${claimed}`,
    )

  ofCensus('queues of all projects are counted, in order', async (scene, census) => {
    await scene.post(await scene.queue('jobs', { project: 'beta' }), 'a')
    await scene.post(await scene.queue('jobs', { kind: 'topic' }), 'b')
    const queue = await scene.queue('jobs')
    await scene.post(queue, 'c', 'd', 'e')
    await scene.postOne(queue, 'delayed', { delaySeconds: 60 })
    await scene.claim(queue, { limit: 2 })
    await scene.queue('empty')
    assert.deepEqual(await countsOf(census), [
      'alpha queue empty: 0 0',
      'alpha queue jobs: 2 2',
      'alpha topic jobs: 1 0',
      'beta queue jobs: 1 0',
    ])
  })

  ofCensus('pages follow each other', async (scene, census) => {
    for (const name of ['c', 'a', 'b']) await scene.queue(name)
    await scene.queue('a', { project: 'beta' })
    const seen: CountedQueue[] = []
    for (let after: CountedQueue | null = null; seen.length < 4; after = seen.at(-1) ?? null) {
      const page: CountedQueue[] = await census.queues({ after, limit: 1 })
      assert.equal(page.length, 1)
      seen.push(...page)
    }
    assert.deepEqual(
      seen.map(({ project, name }) => `${project} ${name}`),
      ['alpha a', 'alpha b', 'alpha c', 'beta a'],
    )
    assert.deepEqual(await census.queues({ after: seen.at(-1) ?? null, limit: 1 }), [])
  })

  ofCensus(
    'the first message by place is the oldest, and before any the delayed one that is due first',
    async (scene, census) => {
      const oldest = async () => (await census.queues({ after: null, limit: 1 }))[0]?.oldestAt
      const queue = await scene.queue()
      assert.equal(await oldest(), null)
      const delayedAt = scene.now
      await scene.postOne(queue, 'delayed', { delaySeconds: 60 })
      assert.equal(await oldest(), delayedAt)
      scene.pass(5)
      const postedAt = scene.now
      const [id = ''] = await scene.post(queue, 'a')
      assert.equal(await oldest(), postedAt)
      scene.pass(5)
      await scene.post(queue, 'b')
      await scene.claim(queue, { limit: 1 })
      assert.equal(await oldest(), postedAt)
      await scene.storage.messages.deleteMany({ queue, ids: [id], claimIds: null, now: scene.now })
      assert.equal(await oldest(), postedAt + 5_000)
    },
  )

  ofCensus('what is owed is counted up to a limit', async (scene, census) => {
    assert.deepEqual(await census.owed({ limit: 10 }), { feed: 0, retries: 0 })
    const queue = await scene.queue()
    await scene.subscribe(queue)
    await scene.post(queue, 'a', 'b', 'c')
    assert.deepEqual(await census.owed({ limit: 10 }), { feed: 3, retries: 0 })
    assert.deepEqual(await census.owed({ limit: 2 }), { feed: 2, retries: 0 })
  })
}
