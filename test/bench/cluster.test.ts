import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Cluster, type Costs, type Load, simulate } from '../../bench/simulation/cluster.ts'

const US = 1e-6

const costs: Costs = {
  node: { request: 40 * US, transaction: 20 * US, delivery: 100 * US },
  store: { transaction: 150 * US, move: { post: 25 * US, claim: 40 * US, look: 20 * US, delivery: 50 * US } },
  client: 10 * US,
  commitDelay: 1000 * US,
}

const one: Cluster = { nodes: 1, pools: 1, connections: 4, storeCores: 4, sharedCores: null }

const quiet: Load = {
  move: 'post',
  clients: 1,
  thinkSeconds: 0,
  queueOf: (_, random) => Math.floor(random() * 1_000),
  unmet: 0,
  deliveries: 0,
  outage: null,
}

function outcome(cluster: Partial<Cluster>, load: Partial<Load>) {
  return simulate(costs, { ...one, ...cluster }, { ...quiet, ...load }, { warmUpSeconds: 0.2, seconds: 1 }, 5)
}

/** Within 5 %. */
function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual / expected - 1) < 0.05, `${actual} is not near ${expected}`)
}

describe('the simulated service', () => {
  test('takes for a lone request what its parts take', () => {
    assertNear(outcome({}, {}).perSecond, 1 / ((40 + 20 + 150 + 25 + 1000) * US))
    const looked = outcome({}, { unmet: 1 })
    assertNear(looked.perSecond, 1 / ((40 + 20 + 150 + 25 + 1000 + 20 + 150 + 20 + 1000) * US))
    assertNear(looked.catalogueBusy, (looked.perSecond * 170 * US) / 4)
  })

  test('does no more than its busiest part can', () => {
    const node = outcome({}, { clients: 200 })
    assert.ok(node.nodeBusy > 0.97 && node.perSecond < 1 / (40 * US), JSON.stringify(node))
    const store = outcome({ nodes: 8, storeCores: 1 }, { clients: 400 })
    assert.ok(store.storeBusy > 0.97 && store.nodeBusy < 0.9, JSON.stringify(store))
    assertNear(store.perSecond * (25 + 150 / store.groupSize) * US, 1)
  })

  test('does twice as much with twice of all', () => {
    const single = outcome({}, { clients: 100 })
    assertNear(outcome({ nodes: 2, pools: 2 }, { clients: 200 }).perSecond, 2 * single.perSecond)
  })

  test('lets a transaction have a queue for itself until it is durable, and its requests share the next one', () => {
    const hot = outcome({ nodes: 4 }, { clients: 40, queueOf: () => 0 })
    // Each node has ten clients: all of them are in its next transaction.
    assertNear(hot.groupSize, 10)
    assertNear(hot.perSecond, 10 / ((150 + 10 * 25 + 1000) * US))
  })

  test('fails what is for a pool that is away, and only that', () => {
    const away = outcome({ nodes: 4, pools: 4 }, { clients: 200, outage: { pool: 1, at: 0.1 } })
    assertNear(away.failedPerSecond / (away.failedPerSecond + away.perSecond), 1 / 4)
    assert.equal(outcome({ pools: 4 }, { clients: 20 }).failedPerSecond, 0)
  })

  test('pays for notifications beside', () => {
    const told = outcome({}, { clients: 100, deliveries: 1 })
    assert.ok(told.perSecond < outcome({}, { clients: 100 }).perSecond / 2, JSON.stringify(told))
  })

  test('shares the cores of one machine with its store and its clients', () => {
    const { perSecond, groupSize } = outcome({ sharedCores: 1 }, { clients: 32, queueOf: (client) => client % 8 })
    assertNear(perSecond * (40 + 10 + 25 + (150 + 20) / groupSize) * US, 1)
  })

  test('does the same again for the same seed', () => {
    assert.deepEqual(outcome({ nodes: 2 }, { clients: 50 }), outcome({ nodes: 2 }, { clients: 50 }))
  })
})
