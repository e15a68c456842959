import type { Instant, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { tellListeners } from '../tell-listeners.ts'
import type { LatestInstant } from './latest-instant.ts'
import { NEVER, type QueueState, type QueueStates } from './queue-states.ts'
import type { Settling } from './settling.ts'
import { type Turns, Unfinished } from './turns.ts'

interface Watched {
  readonly key: QueueKey
  readonly listeners: Set<() => void>
  /** When a delay may be over or a claim may end; `timer` fires then. */
  nextAt: Instant
  timer: Timer | null
}

interface WatchersParts {
  readonly clock: Clock
  readonly turns: Turns
  readonly states: QueueStates
  readonly settling: Settling
  readonly latest: LatestInstant
}

const RETRY_MS = 1_000

/**
 * Tells who watches a queue that there may be something new in it. Moves say so, and the end of a delay or claim, which
 * is settled at its instant if nobody does it before. Queues that nobody watches cost nothing.
 */
export class Watchers {
  readonly #parts: WatchersParts
  readonly #watched = new Map<string, Watched>()

  constructor(parts: WatchersParts) {
    this.#parts = parts
  }

  watch(key: QueueKey, listener: () => void): () => void {
    const id = queueId(key)
    let watched = this.#watched.get(id)
    if (!watched) {
      watched = { key, listeners: new Set(), nextAt: NEVER, timer: null }
      this.#watched.set(id, watched)
      this.#settle(watched)
    }
    // A wrapper, so that the same function may watch twice.
    const entry = () => listener()
    watched.listeners.add(entry)
    return () => {
      watched.listeners.delete(entry)
      if (watched.listeners.size > 0 || this.#watched.get(id) !== watched) return
      watched.timer?.cancel()
      this.#watched.delete(id)
    }
  }

  /** Something became visible, or may have. */
  notify(key: QueueKey): void {
    const watched = this.#watched.get(queueId(key))
    if (watched) tellListeners(watched.listeners)
  }

  /** The instant of the next news may be another now. */
  foresee(state: QueueState): void {
    if (this.#watched.size === 0) return
    const watched = this.#watched.get(queueId(state.key))
    if (watched) this.#wakeAt(watched, Math.min(state.dueAt, state.endsAt))
  }

  close(): void {
    for (const { listeners, timer } of this.#watched.values()) {
      listeners.clear()
      timer?.cancel()
    }
    this.#watched.clear()
  }

  #wakeAt(watched: Watched, at: Instant): void {
    if (at === watched.nextAt) return
    watched.timer?.cancel()
    watched.nextAt = at
    watched.timer = at === NEVER ? null : this.#parts.clock.at(at, () => this.#settle(watched))
  }

  /** Settles what is due, which tells the listeners when there was something, and waits for what comes next. */
  #settle(watched: Watched): void {
    const { clock, turns, states, settling, latest } = this.#parts
    const settle = () => {
      const state = states.find(watched.key)
      if (state === null || state.fence !== null) return NEVER
      return settling.settle(state, latest.notBefore(clock.now()))
        ? Math.min(state.dueAt, state.endsAt)
        : new Unfinished()
    }
    watched.nextAt = NEVER
    turns.submit<Instant>(settle).then(
      (at) => this.#goOn(watched, at),
      // The storage is in trouble: look again soon.
      () => this.#goOn(watched, clock.now() + RETRY_MS),
    )
  }

  #goOn(watched: Watched, at: Instant): void {
    if (watched.listeners.size > 0) this.#wakeAt(watched, Math.min(at, watched.nextAt))
  }
}
