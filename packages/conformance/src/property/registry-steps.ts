import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ProjectUsage } from 'zaqar/storage'
import { anyQueue, limit, metadataFilters } from './alphabets.ts'
import { step } from './step.ts'

/** What is asked of a project as a whole. */
export const registrySteps = [
  step(
    2,
    'list queues',
    {
      queue: anyQueue,
      isAfter: fc.boolean(),
      limit,
      nameContains: fc.constantFrom(null, null, 'a', 'b'),
      metadata: metadataFilters,
      withMetadata: fc.boolean(),
    },
    async (world, { queue, isAfter, ...terms }) => {
      // What is in a part that fails may be missing, or all be refused.
      if (world.isFailing) return
      const { project, kind, name } = world.key(queue)
      const after = isAfter ? name : null
      await world.ask((storage) => storage.queues.list({ project, kind, after, ...terms, now: world.now }))
      await world.ask((storage) => storage.queues.count({ project, kind, now: world.now }))
    },
  ),

  step(1, 'usage', { queue: anyQueue }, async (world, { queue }) => {
    if (world.isFailing) return
    const usages: ProjectUsage[] = []
    await world.ask(async (storage) => {
      const usage = await storage.queues.usage({ project: world.key(queue).project, now: world.now })
      usages.push(usage)
      return usage.queues
    })
    const [engine, model] = usages as [ProjectUsage, ProjectUsage]
    // An engine may count what has expired, too, and store a body in more bytes than it came in.
    assert(engine.messages >= model.messages, `${engine.messages} messages count, there are ${model.messages}`)
    assert(engine.bytes >= model.bytes, `${engine.bytes} bytes count, there are ${model.bytes}`)
    if (model.queues === 0) assert.equal(engine.bytes, 0)
  }),
]
