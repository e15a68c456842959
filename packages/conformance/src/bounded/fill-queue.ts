import assert from 'node:assert/strict'
import type { Instant, NewMessage, Queue, QueueKey, Storage } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'

/**
 * What stands before the live messages that a bench works on.
 * - `live`: nothing, the messages themselves are live;
 * - `claimed head`, `delayed head`: messages that a live claim holds, or whose delay runs, for a day from `now`;
 * - `expired head`: messages that expired just before `now`.
 */
export type QueueShape = 'live' | 'claimed head' | 'delayed head' | 'expired head'

/** Messages in one POST, and at most in one claim. */
const batch = 1000
const daySeconds = 24 * 3600

/**
 * Fills a queue with `count` messages, so that a bench can compare what a move costs on queues of all sizes and shapes
 * (`Bounded`: the same). The store must not have been told of a time later than a day before `now`.
 */
export async function fillQueue(
  storage: Storage,
  { key, count, shape, now }: { key: QueueKey; count: number; shape: QueueShape; now: Instant },
): Promise<Queue> {
  const postedAt = shape === 'expired head' ? now - daySeconds * 1000 : now
  const message: NewMessage = {
    body: JSON.stringify({ padding: 'x'.repeat(130) }),
    ttlSeconds: shape === 'expired head' ? daySeconds : 7 * daySeconds,
    delaySeconds: shape === 'delayed head' ? daySeconds : 0,
  }
  const { queue } = await storage.queues.create({ key, metadata: '{}', now: postedAt })
  for (let left = count; left > 0; left -= batch) {
    const messages = Array<NewMessage>(Math.min(left, batch)).fill(message)
    assert.notEqual(await storage.messages.append({ queue, clientId: 'filler', messages, now: postedAt }), STALE)
  }
  if (shape === 'claimed head') await claimAll(storage, queue, now)
  return queue
}

async function claimAll(storage: Storage, queue: Queue, now: Instant): Promise<void> {
  const terms = { limit: batch, ttlSeconds: daySeconds, graceSeconds: 60, deadLetter: null, now }
  while ((await storage.claims.create({ queue, ...terms })) !== null);
}
