/**
 * A service with pools on PostgreSQL as stations that wait for each other: nodes with one thread, connections whose waiting
 * requests share the next transaction, queues that one transaction has at a time, servers with cores.
 */
import { Samples } from '../statistics.ts'
import { exponential, randomFrom, Simulation, Station } from './queueing.ts'

/** What is done in a store. */
export type Move = 'post' | 'claim' | 'look' | 'delivery'

/** Seconds. Processor time, but for the last. */
export interface Costs {
  readonly node: {
    readonly request: number
    /** For each transaction that it sends. */
    readonly transaction: number
    /** For each notification. */
    readonly delivery: number
  }
  readonly store: {
    readonly transaction: number
    /** For each move in it. */
    readonly move: Readonly<Record<Move, number>>
  }
  /** Of a client, for a request. */
  readonly client: number
  /** What a transaction takes beside: the disk, the way there and back. */
  readonly commitDelay: number
}

export interface Cluster {
  readonly nodes: number
  /** Servers of PostgreSQL, beside the one of the catalogue. */
  readonly pools: number
  /** Of a node to a pool, for writes; as many more read. */
  readonly connections: number
  readonly storeCores: number
  /** Where nodes, stores and clients are all on one machine: its cores. Null: each has its own, and clients are elsewhere. */
  readonly sharedCores: number | null
}

export interface Load {
  readonly move: 'post' | 'claim'
  /** Each asks again when it has its answer. */
  readonly clients: number
  /** Until it asks again, on average. */
  readonly thinkSeconds: number
  /** The queue of a request. */
  queueOf(client: number, random: () => number): number
  /** Part of the requests that the node must look up in the catalogue. */
  readonly unmet: number
  /** Notifications for each request. */
  readonly deliveries: number
  /** A pool that is away from then on, until the end. */
  readonly outage: { readonly pool: number; readonly at: number } | null
}

/** Of the time behind the warm-up. */
export interface Outcome {
  readonly perSecond: number
  readonly failedPerSecond: number
  readonly p50Seconds: number
  readonly p99Seconds: number
  /** Part of the time: of the mean node, of the busiest store, of the store of the catalogue. */
  readonly nodeBusy: number
  readonly storeBusy: number
  readonly catalogueBusy: number
  /** Moves in a transaction, on average. */
  readonly groupSize: number
}

export interface Span {
  readonly warmUpSeconds: number
  readonly seconds: number
}

const GROUP_MOVES = 64

export function simulate(costs: Costs, cluster: Cluster, load: Load, span: Span, seed: number): Outcome {
  return new Run(costs, cluster, load, seed).outcome(span)
}

/** What takes processor time, one piece of work after the other. */
type Thread = (seconds: number, done: () => void) => void

interface Store {
  readonly station: Station
  isAway: boolean
}

class Run {
  readonly simulation = new Simulation()
  readonly costs: Costs
  readonly random: () => number
  readonly #cluster: Cluster
  readonly #load: Load
  /** Null: each part has its own. */
  readonly #cores: Station | null
  readonly #nodes: readonly Node[]
  readonly #nodeThreads: Station[] = []
  readonly #stores: readonly Store[]
  readonly #catalogue: Store
  readonly #locks = new Map<number, Station>()
  readonly #clientThread: Thread
  #latencies = new Samples()
  #failed = 0
  transactions = 0
  moves = 0

  constructor(costs: Costs, cluster: Cluster, load: Load, seed: number) {
    this.costs = costs
    this.#cluster = cluster
    this.#load = load
    this.random = randomFrom(seed)
    this.#cores = cluster.sharedCores === null ? null : new Station(this.simulation, cluster.sharedCores)
    const store = () => ({ station: this.#cores ?? new Station(this.simulation, cluster.storeCores), isAway: false })
    this.#catalogue = store()
    this.#stores = Array.from({ length: cluster.pools }, store)
    this.#nodes = Array.from({ length: cluster.nodes }, () => this.#newNode())
    this.#clientThread =
      cluster.sharedCores === null ? (_, done) => done() : this.#threadOf(new Station(this.simulation, 1))
  }

  outcome({ warmUpSeconds, seconds }: Span): Outcome {
    const { simulation } = this
    const { clients, outage } = this.#load
    for (let client = 0; client < clients; client++) this.#think(client)
    if (outage !== null) {
      simulation.after(outage.at, () => {
        for (const store of this.#stores.slice(outage.pool, outage.pool + 1)) store.isAway = true
      })
    }
    simulation.runUntil(warmUpSeconds)
    this.#latencies = new Samples()
    this.#failed = this.transactions = this.moves = 0
    const busy = () => ({
      nodes: this.#nodeThreads.map(({ busySeconds }) => busySeconds),
      stores: this.#stores.map(({ station }) => station.busySeconds),
      catalogue: this.#catalogue.station.busySeconds,
    })
    const before = busy()
    simulation.runUntil(warmUpSeconds + seconds)
    const after = busy()
    const cores = this.#cluster.sharedCores ?? this.#cluster.storeCores
    const parts = (of: 'nodes' | 'stores', servers: number) =>
      after[of].map((busySeconds, i) => (busySeconds - (before[of][i] ?? 0)) / seconds / servers)
    const nodes = parts('nodes', 1)
    const [p50 = Number.NaN, p99 = Number.NaN] = this.#latencies.percentiles(0.5, 0.99)
    return {
      perSecond: this.#latencies.count / seconds,
      failedPerSecond: this.#failed / seconds,
      p50Seconds: p50,
      p99Seconds: p99,
      nodeBusy: nodes.reduce((sum, part) => sum + part, 0) / nodes.length,
      storeBusy: Math.max(...parts('stores', cores)),
      catalogueBusy: (after.catalogue - before.catalogue) / seconds / cores,
      groupSize: this.moves / this.transactions,
    }
  }

  /** No piece of work takes exactly as long as another; else all would go in step. */
  about(seconds: number): number {
    return seconds * (0.5 + this.random())
  }

  /** The queue is one transaction's until that is durable. */
  lockOf(queue: number): Station {
    const known = this.#locks.get(queue)
    if (known !== undefined) return known
    const lock = new Station(this.simulation, 1)
    this.#locks.set(queue, lock)
    return lock
  }

  #think(client: number): void {
    const { thinkSeconds } = this.#load
    const ask = () => this.#clientThread(this.costs.client, () => this.#ask(client))
    if (thinkSeconds === 0) ask()
    else this.simulation.after(exponential(this.random, thinkSeconds), ask)
  }

  #ask(client: number): void {
    const { simulation, costs, random } = this
    const { move, unmet, deliveries } = this.#load
    const since = simulation.now
    const node = this.#nodes[client % this.#nodes.length] as Node
    const queue = this.#load.queueOf(client, random)
    const pool = queue % this.#stores.length
    const answer = (isGood: boolean) =>
      node.thread(costs.node.request / 2, () => {
        if (isGood) this.#latencies.add(simulation.now - since)
        else this.#failed += 1
        this.#think(client)
      })
    const write = () => {
      if (this.#stores[pool]?.isAway) return answer(false)
      node.writer(pool, queue).submit(move, queue, () => {
        answer(true)
        for (let n = 0; n < deliveries; n++) this.#deliver(queue, pool)
      })
    }
    node.thread(costs.node.request / 2, () => {
      if (random() < unmet) node.catalogue.submit('look', null, write)
      else write()
    })
  }

  /** Whichever node has leased the subscription. */
  #deliver(queue: number, pool: number): void {
    const node = this.#nodes[Math.floor(this.random() * this.#nodes.length)] as Node
    node.thread(this.costs.node.delivery, () => node.writer(pool, queue).submit('delivery', queue, () => {}))
  }

  #newNode(): Node {
    const station = new Station(this.simulation, 1)
    this.#nodeThreads.push(station)
    const thread = this.#threadOf(station)
    const { connections } = this.#cluster
    const lanes = this.#stores.map((store) => Array.from({ length: connections }, () => new Lane(this, thread, store)))
    return {
      thread,
      catalogue: new Lane(this, thread, this.#catalogue),
      writer: (pool, queue) => lanes[pool]?.[scattered(queue) % connections] as Lane,
    }
  }

  #threadOf(station: Station): Thread {
    const cores = this.#cores
    if (cores === null) return (mean, done) => station.serve(this.about(mean), done)
    return (mean, done) =>
      station.enter(() => {
        const seconds = this.about(mean)
        station.busySeconds += seconds
        cores.serve(seconds, () => {
          station.leave()
          done()
        })
      })
  }
}

interface Node {
  readonly thread: Thread
  /** One connection to the store of the catalogue is enough to show where that ends. */
  readonly catalogue: Lane
  writer(pool: number, queue: number): Lane
}

interface Pending {
  readonly move: Move
  readonly queue: number | null
  readonly done: () => void
}

/** One connection: what comes while a transaction is under way shares the next one. */
class Lane {
  readonly #run: Run
  readonly #thread: Thread
  readonly #store: Store
  #waiting: Pending[] = []
  #isBusy = false

  constructor(run: Run, thread: Thread, store: Store) {
    this.#run = run
    this.#thread = thread
    this.#store = store
  }

  submit(move: Move, queue: number | null, done: () => void): void {
    this.#waiting.push({ move, queue, done })
    if (this.#isBusy) return
    this.#isBusy = true
    this.#next()
  }

  #next(): void {
    const { costs } = this.#run
    // What comes until its thread has sent them goes along.
    this.#thread(costs.node.transaction, () => {
      const group = this.#waiting.splice(0, GROUP_MOVES)
      this.#run.transactions += 1
      this.#run.moves += group.length
      const queues = [...new Set(group.map(({ queue }) => queue))].filter((queue) => queue !== null)
      // All transactions lock in the same order, so no two wait for each other.
      this.#commit(
        group,
        queues.sort((a, b) => a - b),
      )
    })
  }

  #commit(group: readonly Pending[], queues: readonly number[], locked = 0): void {
    const run = this.#run
    const queue = queues[locked]
    if (queue !== undefined) {
      run.lockOf(queue).enter(() => this.#commit(group, queues, locked + 1))
      return
    }
    const { store, commitDelay } = run.costs
    const seconds = group.reduce((sum, { move }) => sum + store.move[move], store.transaction)
    this.#store.station.serve(run.about(seconds), () =>
      run.simulation.after(run.about(commitDelay), () => {
        for (const queue of queues) run.lockOf(queue).leave()
        for (const { done } of group) done()
        if (this.#waiting.length > 0) this.#next()
        else this.#isBusy = false
      }),
    )
  }
}

/** Neighbours in number are none in place. */
function scattered(queue: number): number {
  return Math.imul(queue + 1, 0x9e3779b1) >>> 8
}
