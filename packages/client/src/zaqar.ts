import { type Auth, credentialsOf } from './auth.ts'
import type { Drain, Flavor, Health, ListedFlavor, ListedQueue, Metadata, Pool, Rebalance } from './documents.ts'
import { Timeout, Unavailable, Unreachable } from './errors.ts'
import { pagesOf } from './pages.ts'
import { Queue } from './queue.ts'
import { type CallOptions, memberOf, Requests } from './requests.ts'
import { orNull, Topic } from './topic.ts'
import { randomUuid } from './uuid.ts'

export interface ZaqarOptions {
  /** Address of the service. With Keystone it may be left out: the catalogue has it. */
  readonly url?: string
  readonly auth?: Auth
  /** Where the service asks nobody who they are: the project to work in. */
  readonly project?: string
  /** A UUID that names this client: a listing can hide what it posted itself. Made where it is not given. */
  readonly clientId?: string
  /** For each request, in seconds; 30 where it is not given. */
  readonly timeout?: number
  /** Further tries of a request that can be repeated, at the most; 4 where it is not given. */
  readonly retries?: number
  /** Reads documents, events and frames that are JSON; `JSON.parse` where it is not given. Another one may keep numbers that JavaScript has not. */
  readonly parse?: (json: string) => unknown
  /** Writes what requests send; `JSON.stringify` where it is not given. Another one may write what another `parse` has kept. */
  readonly stringify?: (document: unknown) => string
  readonly fetch?: typeof globalThis.fetch
}

interface ListOptions extends CallOptions {
  /** Of a page. */
  readonly limit?: number
  /** With more of each: the metadata of queues, the options of pools, the pools of flavors. */
  readonly detailed?: boolean
}

export interface ListQueuesOptions extends ListOptions {
  /** Only queues whose names hold this. */
  readonly name?: string
  /** Only queues whose metadata have these values. */
  readonly metadata?: Readonly<Record<string, string | number>>
  /** Name of the one behind which it begins. */
  readonly marker?: string | undefined
}

export interface PoolTerms {
  readonly uri: string
  readonly weight: number
  readonly options?: Metadata
  readonly flavor?: string
}

export interface MoveOptions extends CallOptions {
  /** Records in a second, at most; a message is one. As fast as it goes where it is not given. */
  readonly rate?: number
}

/** A client of one service, in the name of one caller. */
export class Zaqar {
  protected readonly requests: Requests

  constructor(options: ZaqarOptions) {
    // Called as a method of something else, `fetch` of browsers refuses.
    const fetch: typeof globalThis.fetch = options.fetch ?? ((...parameters) => globalThis.fetch(...parameters))
    this.requests = new Requests({
      url: options.url,
      credentials: credentialsOf(options.auth, options.project, fetch),
      clientId: options.clientId ?? randomUuid(),
      fetch,
      timeoutSeconds: options.timeout ?? 30,
      retries: options.retries ?? 4,
      parse: options.parse ?? JSON.parse,
      stringify: options.stringify ?? JSON.stringify,
    })
  }

  get clientId(): string {
    return this.requests.clientId
  }

  /** Address of the service: the one that was given, or that of the catalogue. */
  url(): Promise<string> {
    return this.requests.url()
  }

  /** Asks nothing: the queue need not exist. */
  queue(name: string): Queue {
    return new Queue(this.requests, name)
  }

  /** Asks nothing: the topic need not exist. */
  topic(name: string): Topic {
    return new Topic(this.requests, name)
  }

  /** All queues of the project, by name. */
  queues(options: ListQueuesOptions = {}): AsyncGenerator<ListedQueue, void> {
    const { limit, detailed, name, marker, metadata, ...call } = options
    return pagesOf(
      this.requests,
      { path: '/queues', query: { limit, detailed, name, marker, ...metadata }, key: 'queues' },
      call,
    )
  }

  topics(options: Omit<ListQueuesOptions, 'metadata'> = {}): AsyncGenerator<ListedQueue, void> {
    const { limit, detailed, name, marker, ...call } = options
    return pagesOf(this.requests, { path: '/topics', query: { limit, detailed, name, marker }, key: 'topics' }, call)
  }

  /** Whether the service and its storage answer. False after as many tries as any other call has. */
  async ping(options: CallOptions = {}): Promise<boolean> {
    try {
      await this.#send('GET', '/ping', options)
      return true
    } catch (error) {
      if (error instanceof Unavailable || error instanceof Unreachable || error instanceof Timeout) return false
      throw error
    }
  }

  /** What the caller may do (an addition of this service): rules of its policy, such as `queues:create`. */
  async permissions(options: CallOptions = {}): Promise<readonly string[]> {
    return memberOf(await this.#send('GET', '/permissions', options), 'permissions')
  }

  /** For operators. */
  async health(options: CallOptions = {}): Promise<Health> {
    return (await this.#send('GET', '/health', options)).document
  }

  /** For operators. */
  pools(options: ListOptions = {}): AsyncGenerator<Pool, void> {
    const { limit, detailed, ...call } = options
    return pagesOf(this.requests, { path: '/pools', query: { limit, detailed }, key: 'pools' }, call)
  }

  async pool(name: string, options: Omit<ListOptions, 'limit'> = {}): Promise<Pool | null> {
    const { detailed, ...call } = options
    return orNull(async () => (await this.#send('GET', poolPath(name), { query: { detailed }, ...call })).document)
  }

  /** Creates or replaces it. */
  async putPool(name: string, terms: PoolTerms, options: CallOptions = {}): Promise<void> {
    await this.#send('PUT', poolPath(name), { body: terms, ...options })
  }

  async updatePool(name: string, terms: Partial<PoolTerms>, options: CallOptions = {}): Promise<Pool> {
    return (await this.#send('PATCH', poolPath(name), { body: terms, ...options })).document
  }

  async deletePool(name: string, options: CallOptions = {}): Promise<void> {
    await this.#send('DELETE', poolPath(name), options)
  }

  /** Has all queues of the pool go to others; those that are there keep being served. One that is under way goes on, at that rate. */
  async drainPool(name: string, options: MoveOptions = {}): Promise<Drain> {
    const { rate, ...call } = options
    return (await this.#send('PUT', drainPath(name), { body: { rate }, ...call })).document
  }

  /** The last one of the pool; null where nobody has asked for any. */
  async drain(name: string, options: CallOptions = {}): Promise<Drain | null> {
    return orNull(async () => (await this.#send('GET', drainPath(name), options)).document)
  }

  /** Queues that have not gone stay. */
  async cancelDrain(name: string, options: CallOptions = {}): Promise<void> {
    await this.#send('DELETE', drainPath(name), options)
  }

  /** Has queues go from pool to pool until each has as many as its weight says. One that is under way goes on, at that rate. */
  async rebalancePools(options: MoveOptions = {}): Promise<Rebalance> {
    const { rate, ...call } = options
    return (await this.#send('PUT', '/rebalance', { body: { rate }, ...call })).document
  }

  /** The last one; null where nobody has asked for any. */
  async rebalance(options: CallOptions = {}): Promise<Rebalance | null> {
    return orNull(async () => (await this.#send('GET', '/rebalance', options)).document)
  }

  /** Queues that have not gone stay. */
  async cancelRebalance(options: CallOptions = {}): Promise<void> {
    await this.#send('DELETE', '/rebalance', options)
  }

  flavors(options: ListOptions = {}): AsyncGenerator<ListedFlavor, void> {
    const { limit, detailed, ...call } = options
    return pagesOf(this.requests, { path: '/flavors', query: { limit, detailed }, key: 'flavors' }, call)
  }

  async flavor(name: string, options: CallOptions = {}): Promise<Flavor | null> {
    return orNull(async () => (await this.#send('GET', flavorPath(name), options)).document)
  }

  /** `pools`: names of pools, which go to this flavor. */
  async putFlavor(name: string, pools: readonly string[], options: CallOptions = {}): Promise<void> {
    await this.#send('PUT', flavorPath(name), { body: { pool_list: pools }, ...options })
  }

  async updateFlavor(name: string, pools: readonly string[], options: CallOptions = {}): Promise<Flavor> {
    return (await this.#send('PATCH', flavorPath(name), { body: { pool_list: pools }, ...options })).document
  }

  async deleteFlavor(name: string, options: CallOptions = {}): Promise<void> {
    await this.#send('DELETE', flavorPath(name), options)
  }

  #send(method: string, path: string, more: Partial<Parameters<Requests['send']>[0]>) {
    return this.requests.send({ method, path, isRepeatable: true, ...more })
  }
}

function poolPath(name: string): string {
  return `/pools/${encodeURIComponent(name)}`
}

function drainPath(name: string): string {
  return `${poolPath(name)}/drain`
}

function flavorPath(name: string): string {
  return `/flavors/${encodeURIComponent(name)}`
}
