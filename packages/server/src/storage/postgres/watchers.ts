import type { Instant, QueueKey } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { tellListeners } from '../tell-listeners.ts'
import type { Lanes } from './lanes.ts'
import { hashOf, Listening, type News, slotOf } from './listening.ts'

interface Watched {
  readonly key: QueueKey
  readonly slot: number
  readonly listeners: Set<() => void>
  /** Fires when a delay is over or a claim ends. */
  timer: Timer | null
  /** Counts the looks ahead, so that only the last one sets the timer. */
  looks: number
  /**
   * While a look ahead is under way: the earliest of the instants told meanwhile. It may have looked before they were
   * true, or after.
   */
  told: { at: Instant | null } | null
}

/** Those who want to hear of the subscriptions of one queue. */
interface WatchedSubscriptions {
  readonly slot: number
  readonly listeners: Set<() => void>
}

const RETRY_MS = 1_000

/**
 * Tells who watches a queue that there may be something new in it, or that its subscriptions are others, and who leases
 * that there may be work, whatever node brought it.
 */
export class Watchers {
  readonly #lanes: Lanes
  readonly #clock: Clock
  readonly #listening: Listening
  /** By hash, as notifications name them. */
  readonly #watched = new Map<string, Watched>()
  readonly #watchedSubscriptions = new Map<string, WatchedSubscriptions>()
  readonly #workListeners = new Set<() => void>()

  constructor({ lanes, clock, uri, schema }: { lanes: Lanes; clock: Clock; uri: string; schema: string }) {
    this.#lanes = lanes
    this.#clock = clock
    this.#listening = new Listening({
      uri,
      schema,
      clock,
      onNews: (hash, news) => this.#onNews(hash, news),
      onSubscriptions: (hash) => tellListeners(this.#watchedSubscriptions.get(hash)?.listeners ?? []),
      onMissed: (slot) => this.#onMissed(slot),
      onWork: () => tellListeners(this.#workListeners),
    })
  }

  watch(key: QueueKey, listener: () => void): () => void {
    const hash = hashOf(key)
    let watched = this.#watched.get(hash)
    if (watched === undefined) {
      watched = { key, slot: slotOf(hash), listeners: new Set(), timer: null, looks: 0, told: null }
      this.#watched.set(hash, watched)
    }
    const { listeners, slot } = watched
    // A wrapper, so that the same function may watch twice.
    const entry = () => listener()
    listeners.add(entry)
    if (this.#listening.add(slot) && listeners.size === 1) this.#lookAhead(watched, 'next_wake')
    return () => {
      if (!listeners.delete(entry)) return
      this.#listening.remove(slot)
      if (listeners.size > 0 || this.#watched.get(hash) !== watched) return
      watched.timer?.cancel()
      this.#watched.delete(hash)
    }
  }

  watchSubscriptions(key: QueueKey, listener: () => void): () => void {
    const hash = hashOf(key)
    const { listeners, slot } = this.#watchedSubscriptions.get(hash) ?? { slot: slotOf(hash), listeners: new Set() }
    this.#watchedSubscriptions.set(hash, { listeners, slot })
    // A wrapper, so that the same function may watch twice.
    const entry = () => listener()
    listeners.add(entry)
    this.#listening.add(slot)
    return () => {
      if (!listeners.delete(entry)) return
      this.#listening.remove(slot)
      if (listeners.size === 0) this.#watchedSubscriptions.delete(hash)
    }
  }

  /** Tells of work to lease, see `QueueEngine.watchWork`. */
  watchWork(listener: () => void): () => void {
    // A wrapper, so that the same function may watch twice.
    const entry = () => listener()
    this.#workListeners.add(entry)
    this.#listening.listenForWork()
    return () => void this.#workListeners.delete(entry)
  }

  async close(): Promise<void> {
    this.#workListeners.clear()
    this.#watchedSubscriptions.clear()
    for (const { timer } of this.#watched.values()) timer?.cancel()
    this.#watched.clear()
    await this.#listening.close()
  }

  #onNews(hash: string, { isNews, next }: News): void {
    const watched = this.#watched.get(hash)
    if (watched === undefined) return
    if (watched.told) watched.told.at = earlier(watched.told.at, next)
    else this.#arm(watched, next)
    if (isNews) tellListeners(watched.listeners)
  }

  #onMissed(slot: number): void {
    for (const watched of [...this.#watched.values()]) {
      if (watched.slot !== slot) continue
      this.#lookAhead(watched, 'next_wake')
      tellListeners(watched.listeners)
    }
    for (const watched of [...this.#watchedSubscriptions.values()]) {
      if (watched.slot === slot) tellListeners(watched.listeners)
    }
  }

  /** Finds out when the next delay is over or claim ends; `settle_queue` first moves what is due, which brings news. */
  #lookAhead(watched: Watched, move: 'next_wake' | 'settle_queue'): void {
    watched.looks += 1
    watched.told = { at: null }
    const look = watched.looks
    const parameters = { now: this.#clock.now() }
    const found =
      move === 'next_wake'
        ? this.#lanes.read<Instant | null>(move, watched.key, parameters)
        : this.#lanes.write<Instant | null>(move, watched.key, parameters)
    const arm = (at: Instant | null) => {
      if (look !== watched.looks) return
      this.#arm(watched, earlier(at, watched.told?.at ?? null))
      watched.told = null
    }
    // When the server is in trouble: look again soon.
    found.then(arm, () => arm(this.#clock.now() + RETRY_MS))
  }

  #arm(watched: Watched, at: Instant | null): void {
    watched.timer?.cancel()
    if (watched.listeners.size === 0) return
    watched.timer = at === null ? null : this.#clock.at(at, () => this.#lookAhead(watched, 'settle_queue'))
  }
}

/** Null stands for never. */
function earlier(one: Instant | null, other: Instant | null): Instant | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other)
}
