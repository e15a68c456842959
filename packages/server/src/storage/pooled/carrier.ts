import type { Departure, Queue, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { type PoolStore, STALE, StorageUnavailable } from '../contract.ts'
import type { DeadLetterQueues } from './dead-letters.ts'
import type { Placing } from './placing.ts'
import type { PoolEngine, PoolEngines } from './pool-engines.ts'

/** Departures that are read at one time. */
const PAGE = 50
/** What other nodes have left behind is looked for so often. */
const ROUND_MS = 5_000
/** Of a queue that changes under each of them. */
const TRIES = 20

export interface CarrierParts {
  readonly engines: PoolEngines
  readonly placing: Placing
  readonly deadLetters: DeadLetterQueues
  readonly pools: Pick<PoolStore, 'getPool'>
  readonly clock: Clock
  /** Told of an error that is no trouble of a store. */
  report(error: unknown): void
}

/**
 * Carries messages that have left their pool to the queues that they are on their way to. Each node does so for all
 * pools; that two carry the same message is harmless, because a departure arrives once.
 */
export class Carrier {
  readonly #parts: CarrierParts
  readonly #running = new Map<string, { round: Promise<void>; isWanted: boolean }>()
  #timer: Timer | null = null
  #isClosed = false
  /** Messages that it has carried so far. */
  carried = 0

  constructor(parts: CarrierParts) {
    this.#parts = parts
  }

  start(): void {
    this.#later()
  }

  /** Something may have departed from that pool. Resolves when it has been carried, as far as that can be done now. */
  async nudge(pool: string | undefined): Promise<void> {
    if (this.#isClosed) return
    const name = pool ?? ''
    const running = this.#running.get(name)
    if (running) {
      running.isWanted = true
      return running.round
    }
    const state = { round: Promise.resolve(), isWanted: true }
    const run = async () => {
      try {
        while (state.isWanted && !this.#isClosed) {
          state.isWanted = false
          await this.#carry(pool).catch((error) => {
            if (!(error instanceof StorageUnavailable)) this.#parts.report(error)
          })
        }
      } finally {
        // At once, so that who comes now begins another round.
        this.#running.delete(name)
      }
    }
    state.round = run()
    this.#running.set(name, state)
    return state.round
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await Promise.all([...this.#running.values()].map(({ round }) => round))
  }

  #later(): void {
    const { clock, engines } = this.#parts
    this.#timer = clock.at(clock.now() + ROUND_MS, () => {
      for (const name of [undefined, ...engines.names()]) void this.nudge(name)
      this.#later()
    })
  }

  async #carry(pool: string | undefined): Promise<void> {
    const { engines, clock } = this.#parts
    const engine = await engines.open(pool)
    if (engine === null) return
    for (let after: string | undefined; !this.#isClosed; ) {
      const page: Departure[] = await engine.messages.departures({ after, limit: PAGE, now: clock.now() })
      const left = await Promise.all(
        byQueue(page).map(async (group) => ((await this.#bring(group, pool, engine)) ? [] : group)),
      )
      if (page.length < PAGE) return
      // What could not be carried stays, and what is behind it is not held up.
      const stays = new Set(left.flat())
      after = page.findLast((departure) => stays.has(departure))?.id
    }
  }

  /** Brings departures to the queue that they are for. False where that is away. */
  async #bring(departures: readonly Departure[], from: string | undefined, engine: PoolEngine): Promise<boolean> {
    const { engines, placing, deadLetters, clock } = this.#parts
    const [first] = departures as [Departure]
    const key = first.queue
    deadLetters.forget(key)
    try {
      for (let left = TRIES; left > 0; left--) {
        const queue = (await placing.get(key, clock.now())) ?? (await this.#madeFor(departures, key, from))
        // Its queue was deleted, and what is on its way to a queue goes with it.
        if (queue !== null && !(await this.#import(queue, departures))) continue
        await engine.messages.departed({ ids: departures.map(({ id }) => id), now: clock.now() })
        if (queue !== null) this.carried += departures.length
        return true
      }
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error
      // Where it left nothing can be carried now; elsewhere it can.
      if (engines.opened(from) === null) throw error
    }
    return false
  }

  /** A dead letter queue that is missing comes into being; a queue to which messages go back does not. */
  async #madeFor(departures: readonly Departure[], key: QueueKey, from: string | undefined): Promise<Queue | null> {
    if (departures.every(({ message }) => message.cameFrom === null)) return null
    const { placing, pools, clock } = this.#parts
    // On a pool of the same flavor.
    const pool = from === undefined ? null : await pools.getPool({ project: key.project, name: from })
    return (await placing.create(key, '{}', pool?.flavor ?? null, clock.now())).queue
  }

  async #import(queue: Queue, departures: readonly Departure[]): Promise<boolean> {
    const messages = departures.map(({ id, message }) => ({ ...message, departure: id }))
    const { engines, clock } = this.#parts
    const answer = await engines.run(queue.pool, STALE, (engine) =>
      engine.messages.import({ queue, messages, end: null, now: clock.now() }),
    )
    return answer !== STALE
  }
}

/** In the order in which they departed. */
function byQueue(departures: readonly Departure[]): Departure[][] {
  const groups = new Map<string, Departure[]>()
  for (const departure of departures) {
    const id = queueId(departure.queue)
    const group = groups.get(id) ?? []
    group.push(departure)
    groups.set(id, group)
  }
  return [...groups.values()]
}
