import type { Instant, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { tellListeners } from '../tell-listeners.ts'
import type { Lanes } from './lanes.ts'
import { Listening, slotOf } from './listening.ts'

interface Watched {
  readonly key: QueueKey
  readonly slot: number
  readonly listeners: Set<() => void>
  /** Fires when a delay is over or a claim ends. */
  timer: Timer | null
  /** Counts the looks ahead, so that only the last one sets the timer. */
  looks: number
}

const RETRY_MS = 1_000

/** Tells who watches a queue that there may be something new in it, whatever node brought it. */
export class Watchers {
  readonly #lanes: Lanes
  readonly #clock: Clock
  readonly #listening: Listening
  readonly #watched = new Map<string, Watched>()

  constructor({ lanes, clock, uri, schema }: { lanes: Lanes; clock: Clock; uri: string; schema: string }) {
    this.#lanes = lanes
    this.#clock = clock
    this.#listening = new Listening({ uri, schema, clock, onNews: (slot) => this.#onNews(slot) })
  }

  watch(key: QueueKey, listener: () => void): () => void {
    const id = queueId(key)
    let watched = this.#watched.get(id)
    if (watched === undefined) {
      watched = { key, slot: slotOf(key), listeners: new Set(), timer: null, looks: 0 }
      this.#watched.set(id, watched)
    }
    const { listeners, slot } = watched
    // A wrapper, so that the same function may watch twice.
    const entry = () => listener()
    listeners.add(entry)
    if (this.#listening.add(slot)) this.#lookAhead(watched, 'next_wake')
    return () => {
      if (!listeners.delete(entry)) return
      this.#listening.remove(slot)
      if (listeners.size > 0 || this.#watched.get(id) !== watched) return
      watched.timer?.cancel()
      this.#watched.delete(id)
    }
  }

  async close(): Promise<void> {
    for (const { timer } of this.#watched.values()) timer?.cancel()
    this.#watched.clear()
    await this.#listening.close()
  }

  #onNews(slot: number): void {
    for (const watched of [...this.#watched.values()]) {
      if (watched.slot !== slot) continue
      tellListeners(watched.listeners)
      this.#lookAhead(watched, 'next_wake')
    }
  }

  /** Finds out when the next delay is over or claim ends; `settle_queue` first moves what is due, which brings news. */
  #lookAhead(watched: Watched, move: 'next_wake' | 'settle_queue'): void {
    watched.looks += 1
    const look = watched.looks
    const parameters = { now: this.#clock.now() }
    const found =
      move === 'next_wake'
        ? this.#lanes.read<Instant | null>(move, watched.key, parameters)
        : this.#lanes.write<Instant | null>(move, watched.key, parameters)
    found.then(
      (at) => this.#arm(watched, look, at),
      // The server is in trouble: look again soon.
      () => this.#arm(watched, look, this.#clock.now() + RETRY_MS),
    )
  }

  #arm(watched: Watched, look: number, at: Instant | null): void {
    if (look !== watched.looks || watched.listeners.size === 0) return
    watched.timer?.cancel()
    watched.timer = at === null ? null : this.#clock.at(at, () => this.#lookAhead(watched, 'settle_queue'))
  }
}
