/** Nodes and servers die while pools are drained under load. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  missingPostgres,
  type PostgresServer,
  startOwnPostgres,
} from '../../packages/server/test/storage/postgres-server.ts'
import type { TestAnswer } from '../../packages/server/test/support/test-client.ts'
import { tries } from '../../packages/server/test/support/tries.ts'
import { expectRefusal } from '../faults/under-load.ts'
import { type Drain, PooledNode } from '../nodes/pooled-nodes.ts'
import { Witnesses } from '../nodes/witnesses.ts'
import { checkHistory } from './check.ts'
import { History } from './history.ts'
import { runLoad, untilBusy } from './load.ts'

/** Of each kind. */
const KILLS = tries(1, 20)
const WITNESSES = 20
const PAUSE_MS = 300
/** Records a second: so a drain is not over before the trouble, however fast the machine is. */
const SLOW_RATE = 1_000
/** After the first queue has gone. */
const LONGEST_PAUSE_MS = 1_500

const missing = await missingPostgres({ isOwn: true })

/** Two nodes, a server for the catalogue, and two that are pools; producers and consumers at work. */
class Scene {
  readonly nodes: readonly [PooledNode, PooledNode]
  readonly witnesses: Witnesses
  readonly #servers: readonly PostgresServer[]
  readonly #history = new History()
  readonly #loads: Promise<void>[]
  #isOver = false
  #refused = 0

  static async open(): Promise<Scene> {
    const servers = await Promise.all(Array.from({ length: 3 }, () => startOwnPostgres()))
    const [own, east] = servers as [PostgresServer, PostgresServer]
    const first = await PooledNode.start(own.uri)
    const nodes = [first, await PooledNode.start(own.uri)] as const
    await first.putPool('east', east.uri, 1)
    const scene = new Scene(servers, nodes, await Witnesses.make(first.url, WITNESSES))
    await untilBusy([scene.#history])
    return scene
  }

  private constructor(servers: readonly PostgresServer[], nodes: Scene['nodes'], witnesses: Witnesses) {
    this.#servers = servers
    this.nodes = nodes
    this.witnesses = witnesses
    const onRefused = (answer: TestAnswer) => {
      this.#refused += 1
      expectRefusal(answer)
    }
    const terms = { isOver: () => this.#isOver, onRefused, pauseMs: PAUSE_MS }
    this.#loads = nodes.map(({ url }, round) => runLoad(url, this.#history, round, terms))
  }

  poolServer(name: 'east' | 'west'): PostgresServer {
    return this.#servers[name === 'east' ? 1 : 2] as PostgresServer
  }

  /** Drains one pool into the other, in every other round slowly. Meanwhile there is trouble. Answers whether it met the drain. */
  async drain({ n, from }: Round, asked: PooledNode, other: PooledNode, trouble: () => Promise<void>) {
    const to = from === 'east' ? 'west' : 'east'
    const place = `/v2/pools/${from}/drain`
    await asked.putPool(to, this.poolServer(to).uri, 1)
    await asked.begin(place, n % 2 === 0 ? undefined : SLOW_RATE)
    await other.until(place, ({ queues_moved, ended }) => queues_moved > 0 || ended !== null)
    await sleep(Math.random() * LONGEST_PAUSE_MS)
    await trouble()
    const met: Drain = await other.look(place)
    if (met.ended === null) await other.begin(place)
    await other.done(place)
    await this.witnesses.check(other.url)
    return met.ended === null
  }

  async finish(t: TestContext, met: number): Promise<void> {
    await untilBusy([this.#history])
    this.#isOver = true
    await Promise.all(this.#loads)
    const { url } = this.nodes[0]
    await checkHistory(url, this.#history)
    await this.witnesses.finish(url)
    const { batches, deletions, claims } = this.#history
    t.diagnostic(`${met} kills in mid-drain, ${this.#refused} requests refused`)
    t.diagnostic(`${batches.length} posts, ${deletions.size} deletions, ${claims.size} claims`)
  }

  async close(): Promise<void> {
    this.#isOver = true
    await Promise.allSettled(this.#loads)
    for (const node of this.nodes) await node.kill()
    for (const node of this.nodes) await node.stop()
    for (const server of this.#servers) await server.stop()
  }
}

interface Round {
  readonly n: number
  readonly from: 'east' | 'west'
}

/** Rounds, until that many troubles have met a drain. `trouble`: told which pool is drained, and by which node. */
async function untilMet(
  scene: Scene,
  trouble: (round: Round & { mover: PooledNode }) => Promise<void>,
): Promise<number> {
  let met = 0
  for (let n = 0; met < KILLS; n++) {
    assert.ok(n < 10 * KILLS, 'the drains are over too soon')
    const round: Round = { n, from: n % 2 === 0 ? 'east' : 'west' }
    const [mover, other] = n % 4 < 2 ? scene.nodes : scene.nodes.toReversed()
    const act = () => trouble({ ...round, mover: mover as PooledNode })
    if (await scene.drain(round, mover as PooledNode, other as PooledNode, act)) met += 1
  }
  return met
}

test('a drain goes on, and nothing is lost, doubled or reordered, when its node dies', {
  skip: missing ?? false,
}, async (t) => {
  const scene = await Scene.open()
  t.after(() => scene.close())
  const met = await untilMet(scene, async ({ mover }) => {
    await mover.kill()
    await mover.restart()
  })
  await scene.finish(t, met)
})

test('a drain goes on, and nothing is lost, doubled or reordered, when a server of its pools dies', {
  skip: missing ?? false,
}, async (t) => {
  const scene = await Scene.open()
  t.after(() => scene.close())
  const met = await untilMet(scene, async ({ n, from }) => {
    // The one that the queues leave, and the one that they go to.
    const dying = n % 3 === 0 ? (from === 'east' ? 'west' : 'east') : from
    await scene.poolServer(dying).control?.kill()
  })
  await scene.finish(t, met)
})
