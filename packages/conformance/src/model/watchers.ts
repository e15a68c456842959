import { type Instant, type QueueKey, tellListeners } from 'zaqar/storage'
import type { ManualClock } from '../clock.ts'
import {
  endOf,
  isSameQueue,
  type ModelState,
  type SubscriptionListenerRow,
  type WatcherRow,
  type WorkListenerRow,
} from './state.ts'

/** One client's part in who waits for news of which queue. */
export interface Watchers {
  watch(queue: QueueKey, listener: () => void): () => void
  /** Something was stored, freed, delayed or claimed in the queue. */
  notify(queue: QueueKey): void
  watchSubscriptions(queue: QueueKey, listener: () => void): () => void
  /** Subscriptions of the queue were changed or removed. */
  notifySubscriptions(queue: QueueKey): void
  watchWork(listener: () => void): () => void
  /** There may be something to lease, or earlier than it was said. */
  notifyWork(): void
  close(): void
}

export function createWatchers(state: ModelState, clock: Pick<ManualClock, 'now' | 'at'>): Watchers {
  const own = new Set<WatcherRow>()
  const ownSubscriptions = new Set<SubscriptionListenerRow>()
  const ownWork = new Set<WorkListenerRow>()

  function setTimer(watcher: WatcherRow): void {
    watcher.timer?.cancel()
    const next = nextInstant(state, watcher.queue, clock.now())
    watcher.timer = next === null ? null : clock.at(next, () => tell(watcher))
  }

  function tell(watcher: WatcherRow): void {
    setTimer(watcher)
    // Never in the middle of a move: whoever listens may make one.
    queueMicrotask(() => {
      if (state.watchers.includes(watcher)) tellListeners([watcher.listener])
    })
  }

  function end(watcher: WatcherRow): void {
    watcher.timer?.cancel()
    own.delete(watcher)
    state.watchers = state.watchers.filter((other) => other !== watcher)
  }

  function endSubscriptions(row: SubscriptionListenerRow): void {
    ownSubscriptions.delete(row)
    state.subscriptionListeners = state.subscriptionListeners.filter((other) => other !== row)
  }

  function tellSubscriptions(row: SubscriptionListenerRow): void {
    queueMicrotask(() => {
      if (state.subscriptionListeners.includes(row)) tellListeners([row.listener])
    })
  }

  function endWork(row: WorkListenerRow): void {
    ownWork.delete(row)
    state.workListeners = state.workListeners.filter((other) => other !== row)
  }

  function tellWork(row: WorkListenerRow): void {
    queueMicrotask(() => {
      if (state.workListeners.includes(row)) tellListeners([row.listener])
    })
  }

  return {
    watch(queue, listener) {
      const watcher: WatcherRow = { queue, listener, timer: null }
      own.add(watcher)
      state.watchers.push(watcher)
      setTimer(watcher)
      return () => end(watcher)
    },
    notify: (queue) => state.watchers.filter((watcher) => isSameQueue(watcher.queue, queue)).forEach(tell),
    watchSubscriptions(queue, listener) {
      const row: SubscriptionListenerRow = { queue, listener }
      ownSubscriptions.add(row)
      state.subscriptionListeners.push(row)
      return () => endSubscriptions(row)
    },
    notifySubscriptions: (queue) =>
      state.subscriptionListeners.filter((row) => isSameQueue(row.queue, queue)).forEach(tellSubscriptions),
    watchWork(listener) {
      const row: WorkListenerRow = { listener }
      ownWork.add(row)
      state.workListeners.push(row)
      return () => endWork(row)
    },
    notifyWork: () => state.workListeners.forEach(tellWork),
    close() {
      own.forEach(end)
      ownSubscriptions.forEach(endSubscriptions)
      ownWork.forEach(endWork)
    },
  }
}

/** The next instant at which a delay is over or a claim ends. */
function nextInstant(state: ModelState, queue: QueueKey, now: Instant): Instant | null {
  const instants = [
    ...state.messages.filter((message) => isSameQueue(message.queue, queue)).map((message) => message.visibleAt),
    ...state.claims.filter((claim) => isSameQueue(claim.queue, queue)).map(endOf),
  ].filter((instant) => instant > now)
  return instants.length === 0 ? null : Math.min(...instants)
}
