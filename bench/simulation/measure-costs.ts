/** What the parts of a service on PostgreSQL cost, for the simulation: processor time, which other work on the machine hardly changes. */
import { readFileSync } from 'node:fs'
import { createSystemClock } from '../../packages/server/src/platform/system-clock.ts'
import type { NewMessage, QueueHandle, Storage } from '../../packages/server/src/storage/contract.ts'
import { administer } from '../../packages/server/test/storage/postgres-server.ts'
import { ask } from '../ask.ts'
import type { Generator } from '../generator.ts'
import { Receiver, subscribe } from '../notifications.ts'
import { startService } from '../service.ts'
import type { ServedStore, ServerStores } from '../stores.ts'
import { PROJECT, type Target } from '../target.ts'
import { messageBody } from '../workloads.ts'
import type { Costs, Move } from './cluster.ts'

const LONE_MOVES = 1_500
const GROUPS = 150
const GROUP_MOVES = 32
const RUN = { warmUpSeconds: 1, seconds: 4 }
const NOTIFIED_PER_SECOND = 300

export async function measureCosts(stores: ServerStores, generator: Generator): Promise<Costs> {
  const { transaction, commitDelay, moves } = await onStore(stores, measureStore)
  const { request, perTransaction, client } = await onStore(stores, (store) => measureNode(store, generator))
  const delivery = await onStore(stores, (store) => measureDelivery(store, generator))
  return {
    node: { request, transaction: perTransaction, delivery: delivery.node },
    // A delivery costs what its transaction costs, too, in the simulation; what is left is its own.
    store: { transaction, move: { ...moves, delivery: Math.max(0, delivery.store - transaction) } },
    client,
    commitDelay,
  }
}

async function onStore<T>(stores: ServerStores, measure: (store: ServedStore) => Promise<T>): Promise<T> {
  const store = await stores.create()
  try {
    return await measure(store)
  } finally {
    await store.remove()
  }
}

/** Seconds of all that serves the database. */
async function serverSeconds(store: ServedStore): Promise<number> {
  const { pathname } = new URL(store.uri)
  const rows = await administer(store.uri, `SELECT pid FROM pg_stat_activity WHERE datname = '${pathname.slice(1)}'`)
  return rows.reduce((sum, { pid }) => sum + secondsOf(Number(pid)), 0)
}

/** Of a process with one thread, in nanoseconds as the scheduler counts them; 0 of one that has ended meanwhile. */
function secondsOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1e9
  } catch {
    return 0
  }
}

type Act = (storage: Storage, queue: QueueHandle) => Promise<unknown>

const acts: Readonly<Record<Exclude<Move, 'delivery'>, Act>> = {
  post: ({ messages }, queue) => messages.append({ queue, clientId: 'bench', messages: [message], now: Date.now() }),
  claim: ({ claims }, queue) =>
    claims.create({ queue, limit: 1, ttlSeconds: 3600, graceSeconds: 60, deadLetter: null, now: Date.now() }),
  look: ({ placements }, queue) => placements.get({ key: queue }),
}

const message: NewMessage = { body: JSON.stringify(messageBody), ttlSeconds: 3600, delaySeconds: 0 }

/** Alone and in groups: the difference is what one more move in a transaction costs. */
async function measureStore(store: ServedStore) {
  const clock = createSystemClock()
  const storage = await store.open(clock)
  try {
    const key = { project: PROJECT, kind: 'queue', name: 'costs' } as const
    const { queue } = await storage.queues.create({ key, metadata: '{}', now: clock.now() })
    const costs: Partial<Record<Move, { lone: number; more: number; delay: number }>> = {}
    for (const [move, act] of Object.entries(acts) as [Exclude<Move, 'delivery'>, Act][]) {
      const once = () => act(storage, queue)
      await timeOf(store, 200, 1, once)
      const lone = await timeOf(store, LONE_MOVES, 1, once)
      const grouped = await timeOf(store, GROUPS, GROUP_MOVES, once)
      const more = Math.max(0, (grouped.server - lone.server) / (GROUP_MOVES - 1))
      costs[move] = { lone: lone.server, more, delay: lone.quickest - lone.server - lone.client }
    }
    const of = (move: Exclude<Move, 'delivery'>) => costs[move] as { lone: number; more: number; delay: number }
    const moves = { post: of('post').more, claim: of('claim').more, look: of('look').more }
    return { transaction: of('post').lone - of('post').more, commitDelay: Math.max(0, of('post').delay), moves }
  } finally {
    await storage.close()
  }
}

/** Seconds for each group of so many at the same time: of the server, of this process, and as the quickest tenth took. */
async function timeOf(store: ServedStore, groups: number, moves: number, act: () => Promise<unknown>) {
  const before = { server: await serverSeconds(store), client: process.cpuUsage() }
  const took: number[] = []
  for (let n = 0; n < groups; n++) {
    const since = performance.now()
    await Promise.all(Array.from({ length: moves }, act))
    took.push((performance.now() - since) / 1000)
  }
  const { user, system } = process.cpuUsage(before.client)
  const server = (await serverSeconds(store)) - before.server
  const quickest = took.sort((a, b) => a - b)[Math.floor(groups / 10)] as number
  return { server: server / groups, client: (user + system) / 1e6 / groups, quickest }
}

/** Of one process: with one client each request has a transaction of its own, with many they share them. */
async function measureNode(store: ServedStore, generator: Generator) {
  const service = await startService(store.uri)
  try {
    const run = async (connections: number) => {
      const load = { workload: 'post', connections, cyclesPerSecond: null, ...RUN } as const
      const before = await groupsOf(service.target)
      const figures = await generator.runToEnd({ ...load, targets: [service.target], queues: ['costs'] })
      const after = await groupsOf(service.target)
      const { serverCpu, loadCpu, cyclesPerSecond } = figures
      return {
        node: (serverCpu ?? Number.NaN) / cyclesPerSecond,
        client: loadCpu / cyclesPerSecond,
        transactions: (after.transactions - before.transactions) / (after.moves - before.moves),
      }
    }
    const one = await run(1)
    const many = await run(32)
    const perTransaction = Math.max(0, (one.node - many.node) / (one.transactions - many.transactions))
    return { request: many.node - perTransaction * many.transactions, perTransaction, client: many.client }
  } finally {
    await service.stop()
  }
}

/** What its engine has done so far. */
async function groupsOf(target: Target): Promise<{ moves: number; transactions: number }> {
  const operator = { ...target, headers: [...target.headers, 'X-Roles: admin'] }
  const text = (await ask(operator, 'GET', '/metrics')).body.toString()
  const figure = (name: string) => Number(new RegExp(`^zaqar_engine_group_moves_${name} (\\S+)$`, 'm').exec(text)?.[1])
  return { moves: figure('sum'), transactions: figure('count') }
}

/** At a steady rate, with a subscription and without: the difference is what a notification costs. */
async function measureDelivery(store: ServedStore, generator: Generator): Promise<{ node: number; store: number }> {
  const receiver = await Receiver.start()
  const service = await startService(store.uri)
  try {
    await subscribe(service.target, 'heard', 1, () => `${receiver.url}/fast`)
    const run = async (queue: string) => {
      const load = { workload: 'post', connections: 32, cyclesPerSecond: NOTIFIED_PER_SECOND, ...RUN } as const
      const before = await serverSeconds(store)
      const { serverCpu } = await generator.runToEnd({ ...load, targets: [service.target], queues: [queue] })
      const seconds = RUN.warmUpSeconds + RUN.seconds
      return { node: serverCpu ?? Number.NaN, store: ((await serverSeconds(store)) - before) / seconds }
    }
    const unheard = await run('unheard')
    const heard = await run('heard')
    const each = (of: 'node' | 'store') => Math.max(0, (heard[of] - unheard[of]) / NOTIFIED_PER_SECOND)
    return { node: each('node'), store: each('store') }
  } finally {
    await service.stop()
    receiver.stop()
  }
}
