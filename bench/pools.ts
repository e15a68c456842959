import { ask } from './ask.ts'
import { fillCatalogue } from './fill-catalogue.ts'
import { createPooledStores } from './pooled-stores.ts'
import { operations, Probe } from './probe.ts'
import { usageOf } from './process-usage.ts'
import { type RunningServer, startService } from './service.ts'
import { median } from './statistics.ts'
import type { Stores } from './stores.ts'

export interface PoolsScale {
  /** The engine alone comes first, without a catalogue. */
  readonly pools: readonly number[]
  readonly queues: number
  readonly rounds: number
}

export interface PoolsFigures {
  /** In the catalogue. */
  readonly queues: number
  /** Those on the messages of a queue come first. */
  readonly operations: readonly PoolsOperation[]
  readonly columns: readonly PoolsColumn[]
}

interface PoolsOperation {
  readonly title: string
  readonly isOnMessages: boolean
}

export interface PoolsColumn {
  /** 0: the engine alone. */
  readonly pools: number
  /** Medians, one request at a time, in the order of the operations. */
  readonly milliseconds: readonly number[]
  /** From the start of the process to the first answer; and until each pool has answered. */
  readonly startMilliseconds: number
  readonly readyMilliseconds: number
  /** Of a core, while nothing is asked. */
  readonly idleCpu: number | null
  readonly residentBytes: number | null
}

const HOT = 'hot'
const WARM_UP_ROUNDS = 20
const IDLE_MILLISECONDS = 5_000

/** What is done to queues, each time to another one. `n`: the number of the round. */
const onQueues: readonly { readonly title: string; readonly request: (n: number) => readonly [string, string] }[] = [
  { title: 'create a queue', request: (n) => ['PUT', `/queues/made-${n}`] },
  { title: 'first request for a queue', request: (n) => ['GET', `/queues/known-${n}/stats`] },
  { title: 'list 10 queues', request: () => ['GET', '/queues?limit=10&marker=known-1'] },
  { title: 'list 10 queues with metadata', request: () => ['GET', '/queues?limit=10&marker=known-1&detailed=true'] },
  { title: 'delete a queue', request: (n) => ['DELETE', `/queues/made-${n}`] },
]

const onMessages = operations.filter(({ empties }) => !empties)

const all: readonly PoolsOperation[] = [
  ...onMessages.map(({ title }) => ({ title, isOnMessages: true })),
  ...onQueues.map(({ title }) => ({ title, isOnMessages: false })),
]

/** What requests cost beside the number of pools, with very many queues in the catalogue. */
export async function measurePools(stores: Stores, scale: PoolsScale): Promise<PoolsFigures> {
  const sides: Side[] = []
  try {
    for (const pools of [0, ...scale.pools]) sides.push(await Side.prepare(stores, pools, scale))
    for (const side of sides) await side.connect()
    const columns: PoolsColumn[] = []
    for (let round = -WARM_UP_ROUNDS; round < scale.rounds; round++) for (const side of sides) await side.round(round)
    for (const side of sides) columns.push(await side.column())
    return { queues: scale.queues, columns, operations: all }
  } finally {
    for (const side of sides) await side.close()
  }
}

/** A service that is probed. */
class Side {
  readonly #pools: number
  readonly #service: RunningServer
  readonly #readyMilliseconds: number
  readonly #remove: () => Promise<void>
  #probe: Probe | null = null
  readonly #samples: number[][] = all.map(() => [])

  /** Its queues were made by a process before, so that it has not met them. */
  static async prepare(stores: Stores, pools: number, { queues, rounds }: PoolsScale): Promise<Side> {
    const place = await (pools === 0 ? aloneOn(stores) : pooledOn(stores, pools, queues))
    try {
      const first = await place.start()
      const probe = await Probe.open(first.target, HOT)
      for (let n = -WARM_UP_ROUNDS; n < rounds; n++) await probe.ask('PUT', `/queues/known-${n}`)
      probe.close()
      await first.stop()
      const startedAt = performance.now()
      const service = await place.start()
      await askEachPool(service)
      const readyMilliseconds = performance.now() - startedAt
      return new Side(pools, service, readyMilliseconds, place.remove)
    } catch (error) {
      await place.remove()
      throw error
    }
  }

  private constructor(pools: number, service: RunningServer, readyMilliseconds: number, remove: () => Promise<void>) {
    this.#pools = pools
    this.#service = service
    this.#readyMilliseconds = readyMilliseconds
    this.#remove = remove
  }

  /** The service hangs up on who is silent for long. */
  async connect(): Promise<void> {
    this.#probe = await Probe.open(this.#service.target, HOT)
  }

  async round(n: number): Promise<void> {
    const probe = this.#probe as Probe
    await probe.replenish()
    const times: number[] = []
    for (const operation of onMessages) times.push(await probe.time(operation))
    for (const { request } of onQueues) times.push((await probe.ask(...request(n))).milliseconds)
    if (n >= 0) for (const [row, milliseconds] of times.entries()) this.#samples[row]?.push(milliseconds)
  }

  async column(): Promise<PoolsColumn> {
    const { pid } = this.#service.target
    const before = usageOf(pid)
    await new Promise((resolve) => setTimeout(resolve, IDLE_MILLISECONDS))
    const after = usageOf(pid)
    return {
      pools: this.#pools,
      milliseconds: this.#samples.map(median),
      startMilliseconds: this.#service.startMilliseconds,
      readyMilliseconds: this.#readyMilliseconds,
      idleCpu: before && after && (after.cpuSeconds - before.cpuSeconds) / (IDLE_MILLISECONDS / 1000),
      residentBytes: after?.residentBytes ?? null,
    }
  }

  async close(): Promise<void> {
    this.#probe?.close()
    await this.#service.stop()
    await this.#remove()
  }
}

interface Place {
  start(): Promise<RunningServer>
  remove(): Promise<void>
}

async function aloneOn(stores: Stores): Promise<Place> {
  const store = await stores.create()
  return { start: () => startService(store.uri), remove: () => store.remove() }
}

/** A hundred pools must not take all connections of one server. */
async function pooledOn(stores: Stores, pools: number, queues: number): Promise<Place> {
  const pooled = await createPooledStores(stores, pools, { connections: 1 })
  await fillCatalogue(pooled, queues)
  return pooled
}

/** A pool is opened behind the start, or when it is first needed. */
async function askEachPool({ target }: RunningServer): Promise<void> {
  const operator = { ...target, headers: [...target.headers, 'X-Roles: admin'] }
  const { status, body } = await ask(operator, 'GET', '/v2/health')
  if (status !== 200) throw new Error(`GET /v2/health: ${status} ${body}`)
}
