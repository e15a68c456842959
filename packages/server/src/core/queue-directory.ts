import type { Instant, Queue, QueueKey } from '../model/model.ts'
import { queueId } from '../model/queue-id.ts'
import { type QueueHandle, type QueueStore, STALE, type Stale, StorageUnavailable } from '../storage/contract.ts'
import { ZaqarError } from './errors.ts'
import { documentBytes, type ProjectQuotas } from './project-quotas.ts'
import type { Limits } from './rules/limits.ts'
import { flavorOf, type QueueSettings, settingsOf } from './rules/reserved-attributes.ts'

/** At some hundred bytes for names, and a few numbers: a megabyte or two in all. */
const REMEMBERED = 10_000
/** A queue that changes under a move this often in a row is being changed without pause. */
const TRIES = 20

/**
 * What there is to know about a queue for moves on it: not its metadata, which are large, but what follows from them.
 */
export interface OpenQueue extends QueueHandle {
  readonly settings: QueueSettings
}

interface Creation {
  readonly created: boolean
  readonly queue: Queue
}

/**
 * Remembers queues, so that a move on one needs a single call of the storage. What it remembers may be out of date at
 * any time: the move then answers `STALE` and is tried again with the queue as it is.
 */
export class QueueDirectory {
  readonly #store: QueueStore
  readonly #quotas: ProjectQuotas | null
  readonly #limits: Limits
  readonly #known = new Map<string, OpenQueue>()
  readonly #creating = new Map<string, Promise<Creation>>()

  constructor(store: QueueStore, quotas: ProjectQuotas | null, limits: Limits) {
    this.#store = store
    this.#quotas = quotas
    this.#limits = limits
  }

  /**
   * Creates the queue if it is missing; an existing one stays as it is.
   * @throws ZaqarError when the project has as many as it may have
   */
  async create(key: QueueKey, metadata: string, now: Instant): Promise<Creation> {
    if (this.#quotas === null) return this.#createNow(key, metadata, now)
    const id = queueId(key)
    // Whoever wants the same queue at the same time must not be counted for another one.
    const other = this.#creating.get(id)
    if (other !== undefined) return { created: false, queue: (await other).queue }
    const creating = this.#createWithin(this.#quotas, key, metadata, now)
    this.#creating.set(id, creating)
    try {
      return await creating
    } finally {
      this.#creating.delete(id)
    }
  }

  /** What `move` answers for the queue as it is now, or null when there is no such queue. */
  async use<T>(key: QueueKey, now: Instant, move: (queue: OpenQueue) => Promise<T | Stale>): Promise<T | null> {
    return this.#try(key, () => this.#store.get({ key, now }), move)
  }

  /** As `use`, but creates a missing queue. */
  async useOrCreate<T>(key: QueueKey, now: Instant, move: (queue: OpenQueue) => Promise<T | Stale>): Promise<T> {
    const create = async () => (await this.create(key, '{}', now)).queue
    return (await this.#try(key, create, move)) as T
  }

  /** The queue as it was seen last; the mere key where nobody has seen it. */
  remembered(key: QueueKey): QueueKey {
    return this.#known.get(queueId(key)) ?? key
  }

  /**
   * Stores what `change` makes of the metadata as they are now. Answers the new ones, or null when there is no such
   * queue.
   * @throws ZaqarError when the project may not keep so many bytes more
   */
  async change(key: QueueKey, now: Instant, change: (metadata: string) => string): Promise<string | null> {
    for (let left = TRIES; left > 0; left--) {
      const queue = await this.#store.get({ key, now })
      if (queue === null) return null
      const metadata = change(queue.metadata)
      const update = () => this.#store.update({ queue, metadata, now })
      const more = documentBytes(metadata) - documentBytes(queue.metadata)
      const updated = await (this.#quotas?.add(key.project, now, { bytes: more, run: update, hasAdded: isFresh }) ??
        update())
      if (updated !== STALE) return metadata
    }
    throw keepsChanging(key)
  }

  #createNow(key: QueueKey, metadata: string, now: Instant): Promise<Creation> {
    const flavor = this.#limits.hasPools ? flavorOf(metadata) : null
    return this.#store.create({ key, metadata, flavor, now })
  }

  async #createWithin(quotas: ProjectQuotas, key: QueueKey, metadata: string, now: Instant): Promise<Creation> {
    const existing = await this.#store.get({ key, now })
    if (existing !== null) return { created: false, queue: existing }
    return quotas.add(key.project, now, {
      queues: 1,
      bytes: documentBytes(metadata),
      run: () => this.#createNow(key, metadata, now),
      hasAdded: ({ created }) => created,
    })
  }

  async #try<T>(
    key: QueueKey,
    open: () => Promise<Queue | null>,
    move: (queue: OpenQueue) => Promise<T | Stale>,
  ): Promise<T | null> {
    const id = queueId(key)
    for (let left = TRIES; left > 0; left--) {
      const remembered = this.#known.get(id)
      const queue = remembered ?? this.#toOpen(await open())
      if (queue === null) return null
      try {
        const answer = await move(queue)
        if (answer !== STALE) {
          this.#remember(id, queue)
          return answer
        }
      } catch (error) {
        // A refusal that follows from settings of yesterday is none.
        if (remembered === undefined || !(error instanceof ZaqarError)) throw error
      }
      this.#known.delete(id)
    }
    throw keepsChanging(key)
  }

  #toOpen(queue: Queue | null): OpenQueue | null {
    if (queue === null) return null
    const { project, kind, name, version, pool, metadata } = queue
    const settings = settingsOf(kind, metadata, this.#limits)
    const onPool = pool === undefined ? {} : { pool }
    return { project, kind, name, version, ...onPool, isEncrypted: settings.encryptsMessages, settings }
  }

  #remember(id: string, queue: OpenQueue): void {
    if (this.#known.has(id)) return
    if (this.#known.size >= REMEMBERED) {
      // The one that has been known longest; a queue in use comes back at once.
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest)
        break
      }
    }
    this.#known.set(id, queue)
  }
}

function isFresh(answer: unknown): boolean {
  return answer !== STALE
}

function keepsChanging({ name }: QueueKey): StorageUnavailable {
  return new StorageUnavailable(`queue ${name} keeps changing`)
}
