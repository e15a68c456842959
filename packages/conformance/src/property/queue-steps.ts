import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ProjectUsage } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { anyQueue, handleAge, limit, metadata, metadataFilters } from './alphabets.ts'
import { step } from './step.ts'
import type { World } from './world.ts'

/** What a caller does that posts to a queue it has not seen. */
export async function createQueue(world: World, queue: number, metadata: string): Promise<void> {
  const { engine, model } = await world.ask((storage) =>
    storage.queues.create({ key: world.key(queue), metadata, now: world.now }),
  )
  world.sawQueue(queue, { engine: engine.queue, model: model.queue })
}

export const queueSteps = [
  step(2, 'create queue', { queue: anyQueue, metadata }, (world, { queue, metadata }) =>
    createQueue(world, queue, metadata),
  ),

  step(1, 'update queue', { queue: anyQueue, handle: handleAge, metadata }, (world, { queue, handle, metadata }) =>
    world.withHandle(queue, handle, async (known) => {
      // Always a change: whether the version changes when the metadata stays the same is up to the engine.
      const changed = JSON.stringify({ ...JSON.parse(metadata), serial: world.nextSerial() })
      const { engine, model } = await world.ask((storage, of) =>
        storage.queues.update({ queue: of(known), metadata: changed, now: world.now }),
      )
      if (engine !== STALE && model !== STALE) world.sawQueue(queue, { engine, model })
    }),
  ),

  step(1, 'delete queue', { queue: anyQueue }, (world, { queue }) =>
    world.ask((storage) => storage.queues.delete({ key: world.key(queue), now: world.now })),
  ),

  step(1, 'get queue', { queue: anyQueue }, async (world, { queue }) => {
    const { engine, model } = await world.ask((storage) =>
      storage.queues.get({ key: world.key(queue), now: world.now }),
    )
    if (engine && model) world.sawQueue(queue, { engine, model })
  }),

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
      const { project, kind, name } = world.key(queue)
      const after = isAfter ? name : null
      await world.ask((storage) => storage.queues.list({ project, kind, after, ...terms, now: world.now }))
      await world.ask((storage) => storage.queues.count({ project, kind, now: world.now }))
    },
  ),

  step(1, 'usage', { queue: anyQueue }, async (world, { queue }) => {
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

  step(2, 'stats', { queue: anyQueue }, (world, { queue }) =>
    world.ask((storage) => storage.queues.stats({ key: world.key(queue), now: world.now })),
  ),
]
