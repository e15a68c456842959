import type { DatabaseSync } from 'node:sqlite'
import type { Instant, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { tellListeners } from '../tell-listeners.ts'
import type { QueueStates } from './queue-states.ts'
import type { Turns } from './turns.ts'

interface Watched {
  readonly key: QueueKey
  readonly listeners: Set<() => void>
  /** Fires when a delay is over or a claim ends, if nothing happens before. */
  timer: Timer | null
  /** A look ahead is under way; 'again': something changed meanwhile. */
  looking: false | true | 'again'
}

const RETRY_MS = 1_000

/** Tells who watches a queue that there may be something new in it. Queues that nobody watches cost nothing. */
export class Watchers {
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #states: QueueStates
  readonly #nextNews
  readonly #watched = new Map<string, Watched>()

  constructor({ db, clock, turns, states }: { db: DatabaseSync; clock: Clock; turns: Turns; states: QueueStates }) {
    this.#clock = clock
    this.#turns = turns
    this.#states = states
    this.#nextNews = db.prepare(
      `SELECT min(
         ifnull((SELECT min(visible_at) FROM messages
                 WHERE bucket = $bucket AND held = 0 AND delayed = 1 AND visible_at > $now), 9e15),
         ifnull((SELECT min(expires_at) FROM claims WHERE bucket = $bucket AND expires_at > $now), 9e15)) AS at`,
    )
  }

  watch(key: QueueKey, listener: () => void): () => void {
    const id = queueId(key)
    let watched = this.#watched.get(id)
    if (!watched) {
      watched = { key, listeners: new Set(), timer: null, looking: false }
      this.#watched.set(id, watched)
    }
    // A wrapper, so that the same function may watch twice.
    const entry = () => listener()
    watched.listeners.add(entry)
    this.#lookAhead(watched)
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
    if (!watched) return
    tellListeners(watched.listeners)
    this.#lookAhead(watched)
  }

  /** The instant of the next news may be another now. */
  reconsider(key: QueueKey): void {
    const watched = this.#watched.get(queueId(key))
    if (watched) this.#lookAhead(watched)
  }

  close(): void {
    for (const watched of this.#watched.values()) watched.timer?.cancel()
    this.#watched.clear()
  }

  /** `from`: what comes to light after that instant has not been told yet. */
  #lookAhead(watched: Watched, from: Instant = this.#clock.now()): void {
    if (watched.looking !== false) {
      watched.looking = 'again'
      return
    }
    watched.looking = true
    const look = () => {
      const state = this.#states.find(watched.key)
      return state === null ? 9e15 : (this.#nextNews.get({ $bucket: state.bucket, $now: from }) as { at: Instant }).at
    }
    this.#turns.submit(look).then(
      (at) => this.#arm(watched, from, at),
      // The storage is in trouble: look again soon.
      () => this.#arm(watched, from, from + RETRY_MS),
    )
  }

  #arm(watched: Watched, from: Instant, at: Instant): void {
    const again = watched.looking === 'again'
    watched.looking = false
    watched.timer?.cancel()
    watched.timer = null
    if (watched.listeners.size === 0) return
    if (again) this.#lookAhead(watched, from)
    else if (at < 9e15) watched.timer = this.#clock.at(at, () => this.notify(watched.key))
  }
}
