/** Pools are drained and rebalanced while producers and consumers of two nodes are at work. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { administer, missingPostgres, newSchema } from '../../packages/server/test/storage/postgres-server.ts'
import { tries } from '../../packages/server/test/support/tries.ts'
import { checkHistory } from '../crash/check.ts'
import { History } from '../crash/history.ts'
import { runLoad, untilBusy } from '../crash/load.ts'
import { createDatabase, type SharedDatabase } from './database.ts'
import { PooledNode } from './pooled-nodes.ts'
import { Witnesses } from './witnesses.ts'

const PROJECTS = ['one', 'two']
const WITNESSES = 20
const PAUSE_MS = 300
/** How often a drain is cancelled on its way. */
const CANCELS = tries(1, 20)

const missing = await missingPostgres()

describe('queues that move under load', { skip: missing ?? false }, () => {
  let own: SharedDatabase
  let pools: string[]
  let nodes: readonly [PooledNode, PooledNode]
  let witnesses: Witnesses
  const histories = PROJECTS.map(() => new History())
  let isOver = false
  let loads: Promise<void>[] = []

  before(async () => {
    own = await createDatabase()
    // A database stands for a server of its own.
    pools = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const name = newSchema()
        await administer(own.uri, `CREATE DATABASE ${name}`)
        return Object.assign(new URL(own.uri), { pathname: name }).href
      }),
    )
    const first = await PooledNode.start(own.uri)
    nodes = [first, await PooledNode.start(own.uri)]
    await first.putPool('east', pools[0] as string, 1)
    witnesses = await Witnesses.make(first.url, WITNESSES)
    // No request may be refused.
    loads = PROJECTS.flatMap((project, p) =>
      nodes.map(({ url }, round) =>
        runLoad(url, histories[p] as History, round, { project, isOver: () => isOver, pauseMs: PAUSE_MS }),
      ),
    )
    await untilBusy(histories)
  })

  after(async () => {
    isOver = true
    await Promise.all(loads)
    await Promise.all(nodes.map((node) => node.stop()))
    for (const uri of pools) await administer(own.uri, `DROP DATABASE ${new URL(uri).pathname.slice(1)} WITH (FORCE)`)
    await own.drop()
  })

  test('a pool is drained, and can be deleted then', async (t) => {
    const [first, second] = nodes
    await first.putPool('west', pools[1] as string, 1)
    const before = witnesses.watch(second.url)
    await untilBusy(histories)
    const usual = await before()
    const end = witnesses.watch(second.url)
    await first.begin('/v2/pools/east/drain')
    const { queues_moved, records_moved, queues_left } = await second.done('/v2/pools/east/drain')
    const slowest = await end()
    assert.deepEqual([queues_moved, queues_left], [WITNESSES + 3 * PROJECTS.length, 0])
    await witnesses.check(second.url)
    await untilBusy(histories)
    await second.deletePool('east')
    t.diagnostic(`${queues_moved} queues, ${records_moved} records; slowest answer of a queue: ${spread(slowest)} ms`)
    t.diagnostic(`before that: ${spread(usual)} ms`)
  })

  test('pools are rebalanced, and again with one more', async (t) => {
    const [first, second] = nodes
    await first.putPool('east', pools[0] as string, 2)
    await second.begin('/v2/rebalance')
    const two = await first.done('/v2/rebalance')
    await first.putPool('north', pools[2] as string, 1)
    await first.begin('/v2/rebalance')
    const three = await first.done('/v2/rebalance')
    await witnesses.check(first.url)
    await untilBusy(histories)
    const all = WITNESSES + 3 * PROJECTS.length
    assert.ok(Math.abs(two.queues_moved - (all * 2) / 3) < 1, 'to the one of weight 2')
    assert.ok(Math.abs(three.queues_moved - all / 4) <= 1, 'to the new one')
    t.diagnostic(`${two.queues_moved} and ${three.queues_moved} queues`)
  })

  test('a drain is cancelled and asked for again, by any node', async () => {
    const [first, second] = nodes
    await first.putPool('north', pools[2] as string, 0)
    for (let round = 0; round < CANCELS; round++) {
      // To and fro, between the other two.
      const [pool, other] = round % 2 === 0 ? ['east', 'west'] : ['west', 'east']
      const place = `/v2/pools/${pool}/drain`
      await first.putPool(other, pools[other === 'east' ? 0 : 1] as string, 2)
      // So slow that it is not over before it is cancelled.
      await first.begin(place, 100)
      await second.until(place, (drain) => drain.queues_moved > 0)
      await second.cancel(place)
      const { status } = await first.until(place, ({ ended }) => ended !== null)
      assert.equal(status, 'cancelled')
      await witnesses.check(first.url)
      await second.begin(place)
      await first.done(place)
    }
    await witnesses.check(second.url)
  })

  test('nothing was lost, doubled or reordered', async (t) => {
    isOver = true
    await Promise.all(loads)
    for (const [p, project] of PROJECTS.entries()) {
      await checkHistory(nodes[p % 2]?.url as string, histories[p] as History, project)
    }
    await witnesses.finish(nodes[0].url)
    for (const node of nodes) assert.doesNotMatch(node.log(), /"level":[56]0/)
    const count = (of: (history: History) => number) => histories.reduce((sum, history) => sum + of(history), 0)
    t.diagnostic(
      `${count(({ batches }) => batches.length)} posts, ${count(({ deletions }) => deletions.size)} deletions`,
    )
  })
})

function spread(sorted: readonly number[]): string {
  return `${sorted[Math.floor(sorted.length / 2)]} (half of them), ${sorted.at(-1)} (all)`
}
