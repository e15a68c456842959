import type { QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { type PlacementStore, type QueueEngine, type QueueHandle, StorageUnavailable } from '../contract.ts'
import { tellListeners } from '../tell-listeners.ts'
import type { PoolEngine, PoolEngines } from './pool-engines.ts'

const RETRY_MS = 1_000

/** Something that is done at the engine of a queue for as long as it lies there. */
interface Attached {
  /** Answers, perhaps later, what ends it. */
  attach(engine: QueueEngine): (() => void) | Promise<() => void>
  /** Told when it is done at another engine than before, or later than it was asked for. */
  moved(): void
  at: PoolEngine | null
  detach: Promise<() => void> | null
}

/** A queue that somebody watches, or keeps what is removed from. */
interface Followed {
  readonly key: QueueKey
  readonly attached: Set<Attached>
  /** The pool; undefined: the store of the service itself, or nowhere yet. Null until somebody has looked. */
  at: { readonly pool: string | undefined } | null
  looking: Promise<void> | null
  isToLook: boolean
  timer: Timer | null
  endWatch(): void
}

interface FollowedQueuesParts {
  readonly engines: PoolEngines
  readonly placements: PlacementStore
  readonly clock: Clock
}

/**
 * Watches queues wherever they lie. The store of the catalogue tells of changes there; each node looks besides when it
 * finds a queue elsewhere than it was.
 */
export class FollowedQueues {
  readonly #parts: FollowedQueuesParts
  readonly #followed = new Map<string, Followed>()
  readonly #endChanges: () => void

  constructor(parts: FollowedQueuesParts) {
    this.#parts = parts
    this.#endChanges = parts.engines.onChange((name) => {
      for (const followed of this.#followed.values()) if (followed.at?.pool === name) void this.#look(followed)
    })
  }

  /** See `QueueEngine.watch`. */
  watch(queue: QueueHandle | QueueKey, listener: () => void): () => void {
    return this.#listen(queue, listener, (engine, tell) => engine.watch(queue, tell))
  }

  /** See `QueueEngine.watchSubscriptions`. */
  watchSubscriptions(queue: QueueHandle | QueueKey, listener: () => void): () => void {
    return this.#listen(queue, listener, (engine, tell) => engine.watchSubscriptions(queue, tell))
  }

  /** See `QueueEngine.keepGone`. */
  async keepGone(queue: QueueHandle | QueueKey): Promise<() => void> {
    const attach = (engine: QueueEngine) => engine.keepGone(queue)
    const { followed, attached, end } = this.#follow(queue, { attach, moved: () => undefined })
    // Where it is known where the queue lies that is under way already.
    if (attached.detach === null) await this.#look(followed)
    try {
      if (attached.detach === null) throw new StorageUnavailable(`the pool of queue ${queue.name} cannot be reached`)
      await attached.detach
      return end
    } catch (error) {
      end()
      throw error
    }
  }

  /** A queue was found there. Resolves when those who follow it are where it is. */
  async located(key: QueueKey, pool: string | undefined): Promise<void> {
    const followed = this.#followed.get(queueId(key))
    if (followed !== undefined && (followed.at === null || followed.at.pool !== pool)) await this.#look(followed)
  }

  close(): void {
    this.#endChanges()
    for (const followed of this.#followed.values()) {
      followed.endWatch()
      followed.timer?.cancel()
      followed.attached.clear()
    }
    this.#followed.clear()
  }

  #listen(
    queue: QueueHandle | QueueKey,
    listener: () => void,
    attach: (engine: QueueEngine, tell: () => void) => () => void,
  ): () => void {
    let hasEnded = false
    const tell = () => {
      if (!hasEnded) listener()
    }
    const { end } = this.#follow(queue, { attach: (engine) => attach(engine, tell), moved: tell })
    return () => {
      hasEnded = true
      end()
    }
  }

  #follow(
    queue: QueueHandle | QueueKey,
    what: Pick<Attached, 'attach' | 'moved'>,
  ): { followed: Followed; attached: Attached; end: () => void } {
    const id = queueId(queue)
    const followed = this.#followed.get(id) ?? this.#begin(queue, id)
    const attached: Attached = { ...what, at: null, detach: null }
    followed.attached.add(attached)
    // Should that be out of date, whoever asked for it hears so from the pool, and the queue is located anew.
    if ('version' in queue) followed.at ??= { pool: queue.pool }
    const engine = followed.at && this.#parts.engines.opened(followed.at.pool)
    if (engine) this.#attach(attached, engine)
    else void this.#look(followed)
    const end = () => {
      if (!followed.attached.delete(attached)) return
      detach(attached)
      if (followed.attached.size > 0 || this.#followed.get(id) !== followed) return
      followed.endWatch()
      followed.timer?.cancel()
      this.#followed.delete(id)
    }
    return { followed, attached, end }
  }

  #begin({ project, kind, name }: QueueKey, id: string): Followed {
    const key = { project, kind, name }
    const attached = new Set<Attached>()
    const followed: Followed = {
      key,
      attached,
      at: null,
      looking: null,
      isToLook: false,
      timer: null,
      endWatch: () => undefined,
    }
    this.#followed.set(id, followed)
    // News of a queue that lies in this store itself cost a look, too.
    followed.endWatch = this.#parts.engines.own.watch(key, () => void this.#look(followed))
    return followed
  }

  /** Looks where it lies, takes there what is attached, and looks again if something has changed meanwhile. */
  #look(followed: Followed): Promise<void> {
    followed.isToLook = true
    followed.looking ??= this.#lookWhileWanted(followed).finally(() => {
      followed.looking = null
    })
    return followed.looking
  }

  async #lookWhileWanted(followed: Followed): Promise<void> {
    const { placements, engines, clock } = this.#parts
    while (followed.isToLook && followed.attached.size > 0) {
      followed.isToLook = false
      try {
        const placement = await placements.get({ key: followed.key })
        followed.at = { pool: placement?.pool }
        const engine = await engines.open(placement?.pool)
        if (engine === null) continue
        for (const attached of followed.attached) {
          if (attached.at === engine) continue
          this.#attach(attached, engine)
          tellListeners([() => attached.moved()])
        }
        await Promise.all([...followed.attached].map(({ detach }) => detach))
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error
        followed.timer?.cancel()
        followed.timer = clock.at(clock.now() + RETRY_MS, () => void this.#look(followed))
      }
    }
  }

  #attach(attached: Attached, engine: PoolEngine): void {
    const { detach: before } = attached
    attached.at = engine
    const attaching = Promise.resolve(attached.attach(engine))
    attached.detach = attaching
    attaching.catch(() => {
      if (attached.detach === attaching) Object.assign(attached, { at: null, detach: null })
    })
    before?.then((end) => end()).catch(() => undefined)
  }
}

function detach({ detach }: Attached): void {
  detach?.then((end) => end()).catch(() => undefined)
}
