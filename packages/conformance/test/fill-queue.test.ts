import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { STALE } from 'zaqar/storage'
import { createModel, fillQueue, ManualClock, type QueueShape } from '../src/index.ts'

describe('fillQueue', () => {
  const expected: Record<QueueShape, { free: number; claimed: number; visible: number }> = {
    live: { free: 1500, claimed: 0, visible: 1500 },
    'claimed head': { free: 0, claimed: 1500, visible: 0 },
    'delayed head': { free: 1500, claimed: 0, visible: 0 },
    'expired head': { free: 0, claimed: 0, visible: 0 },
  }

  for (const [shape, { free, claimed, visible }] of Object.entries(expected)) {
    test(`makes a queue with the shape: ${shape}`, async () => {
      const clock = new ManualClock()
      const now = clock.now()
      const storage = createModel(clock)
      const key = { project: 'alpha', kind: 'queue', name: 'jobs' } as const
      const queue = await fillQueue(storage, { key, count: 1500, shape: shape as QueueShape, now })
      const stats = await storage.queues.stats({ queue, now })
      assert(stats !== STALE)
      assert.deepEqual([stats.free, stats.claimed], [free, claimed])
      const popped = await storage.messages.pop({ queue, limit: 2000, deadLetter: null, now })
      assert.equal(popped.length, visible)
    })
  }
})
