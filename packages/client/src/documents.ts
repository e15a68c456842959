/** Documents of the service, as it sends them. Times are in seconds. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type Metadata = Record<string, unknown>

export interface Message<Body = unknown> {
  readonly id: string
  /** Its path; ends with `?claim_id=` and the claim while one holds it. */
  readonly href: string
  readonly ttl: number
  /** Since it was posted. */
  readonly age: number
  readonly body: Body
  /** Of the body; only where the service is configured to show it. */
  readonly checksum?: string
  /** Only where it was asked for. */
  readonly marker?: string
}

export interface PoppedMessage<Body = unknown> extends Omit<Message<Body>, 'href' | 'marker'> {
  readonly claim_id: null
  readonly claim_count: number
}

export interface ListedQueue {
  readonly name: string
  readonly href: string
  /** Only where it was asked for. */
  readonly metadata?: Metadata
}

export interface Stats {
  readonly total: number
  /** Of a queue; nothing of a topic is claimed. */
  readonly free?: number
  readonly claimed?: number
  readonly newest?: Edge
  readonly oldest?: Edge
  /** Of the free ones; 1,000 also when there are more. Only where details were asked for. */
  readonly delayed?: number
  /** Only where details were asked for. */
  readonly rates?: Rates
}

/** How many messages came and went in each step, the latest last, as the node that answers has counted. */
export interface Rates {
  /** When the last step ended. */
  readonly until: string
  /** How long a step is. */
  readonly step: number
  readonly posted: readonly number[]
  readonly claimed: readonly number[]
  readonly deleted: readonly number[]
  /** Of which a webhook or mail told a subscriber. */
  readonly delivered: readonly number[]
}

export interface Edge {
  readonly age: number
  readonly created: string
  readonly href: string
}

export interface ShownClaim<Body = unknown> {
  readonly age: number
  readonly ttl: number
  readonly messages: readonly Message<Body>[]
  readonly href: string
}

/** A claim as listings show it. Seconds: it ends `ttl` after it was made or renewed, `age` ago. */
export interface ListedClaim {
  readonly id: string
  readonly href: string
  readonly ttl: number
  readonly age: number
  /** How many messages it holds. */
  readonly messages: number
  /** The id of the client that made it, as `Zaqar.clientId`; null: nobody said. */
  readonly client_id: string | null
}

export interface Subscription {
  readonly id: string
  /** Name of the queue or topic. */
  readonly source: string
  readonly subscriber: string
  readonly ttl: number
  readonly age: number
  readonly options: Metadata
  readonly confirmed: boolean
  /** Only while deliveries fail. */
  readonly delivery?: {
    readonly state: 'failing' | 'paused'
    readonly failures: number
    readonly since: string
    readonly paused_until: string | null
  }
}

export interface Attempt {
  readonly at: string
  readonly seconds: number
  readonly status: number | null
  readonly reason: string | null
  readonly answer: string | null
}

export interface Delivery extends Attempt {
  readonly message_ids: readonly string[]
}

export interface Failure {
  readonly id: string
  readonly ttl: number
  readonly posted: string
  readonly failed: string
  readonly attempts: number
  readonly latest_attempts: readonly Attempt[]
  readonly body: unknown
}

export interface Pool {
  readonly name: string
  readonly flavor: string | null
  readonly uri: string
  readonly weight: number
  /** Only where it was asked for. */
  readonly options?: Metadata
  readonly href: string
}

/** How queues get on that go from pool to pool. */
export interface Rebalance {
  readonly status: 'rebalancing' | Ended
  /** Records in a second, at most. */
  readonly rate: number | null
  readonly asked: string
  readonly ended: string | null
  /** That are to go still, about; null: nobody has counted them yet. */
  readonly queues_left: number | null
  readonly queues_moved: number
  /** A message is one. */
  readonly records_moved: number
  /** What stands in the way; null: nothing does. */
  readonly trouble: string | null
}

/** The same of one pool, which all its queues leave. */
export interface Drain extends Omit<Rebalance, 'status'> {
  readonly pool: string
  readonly status: 'draining' | Ended
}

type Ended = 'cancelled' | 'done' | 'failed'

export interface Flavor {
  readonly name: string
  readonly href: string
  readonly capabilities: readonly string[]
  /** Names of its pools. */
  readonly pool_list: readonly string[]
}

/** With all of it only where that was asked for. */
export type ListedFlavor = Pick<Flavor, 'name' | 'href'> & Partial<Flavor>

/** Of a service with one store, or of one with pools: each by its name. `storesOf` finds what both say. */
export type Health = (StoreHealth & ServiceHealth) | PoolsHealth

export interface StoreHealth {
  readonly storage_reachable: boolean
  readonly operation_status: Readonly<Record<string, OperationStatus>>
}

export interface PoolsHealth extends ServiceHealth {
  /** Whether the store is that knows which pools there are. */
  readonly catalog_reachable: boolean
  readonly [pool: string]: unknown
}

interface ServiceHealth {
  /** Which process has answered (an addition of this service). */
  readonly process: {
    /** Of the software of the service. */
    readonly version: string
    /** What keeps queues: `sqlite`, `postgres`. */
    readonly engine: string
    readonly host: string
    readonly pid: number
    readonly started: string
  }
  /** How the storage keeps what it is given less well than it could. */
  readonly storage_weakness?: string
  /** Of the process that has answered (an addition of this service). */
  readonly sockets: {
    /** Open now. */
    readonly connections: number
    /** That push to them. */
    readonly subscriptions: number
    /** Since it was started, as what follows. */
    readonly requests: number
    readonly pushed: number
    /** Connections that were closed as too slow. */
    readonly dropped: number
  }
}

export interface OperationStatus {
  readonly succeeded: boolean
  readonly seconds: number
  /** What to look for in the log of the service. */
  readonly ref: string | null
}
