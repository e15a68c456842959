import { GONE_MS, type Instant, type QueueKey } from 'zaqar/storage'
import { type GoneRow, isSameQueue, type KeeperRow, type MessageRow, type ModelState } from './state.ts'

/** One client's part in who keeps what is removed from which queue. */
export interface Keepers {
  keep(queue: QueueKey): () => void
  close(): void
}

export function createKeepers(state: ModelState): Keepers {
  const own = new Set<KeeperRow>()

  function end(keeper: KeeperRow): void {
    own.delete(keeper)
    state.keepers = state.keepers.filter((other) => other !== keeper)
  }

  return {
    keep({ project, kind, name }) {
      const keeper: KeeperRow = { queue: { project, kind, name } }
      own.add(keeper)
      state.keepers.push(keeper)
      return () => end(keeper)
    },
    close: () => own.forEach(end),
  }
}

/** To be told before the message is removed from its queue, or leaves it. */
export function keepIfGone(state: ModelState, message: MessageRow, now: Instant): void {
  const { queue, visibleAt } = message
  const isKept = state.keepers.some((keeper) => isSameQueue(keeper.queue, queue))
  if (!isKept || visibleAt > now) return
  forgetGone(state, queue, message.id)
  state.gone.push({ ...message, claimId: null, removedAt: now })
}

/** The message has come back to the queue, or is gone from another place now. */
export function forgetGone(state: ModelState, queue: QueueKey, id: string): void {
  state.gone = state.gone.filter((row) => row.id !== id || !isSameQueue(row.queue, queue))
}

export function goneFrom(state: ModelState, queue: QueueKey, now: Instant): GoneRow[] {
  return state.gone
    .filter((row) => isSameQueue(row.queue, queue))
    .filter(({ removedAt, expiresAt }) => now < removedAt + GONE_MS && now < expiresAt)
}
