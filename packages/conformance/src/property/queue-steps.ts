import fc from 'fast-check'
import { STALE } from 'zaqar/storage'
import { anyQueue, handleAge, metadata } from './alphabets.ts'
import { step } from './step.ts'
import type { World } from './world.ts'

/** What a caller does that posts to a queue it has not seen. */
export async function createQueue(world: World, queue: number, metadata: string): Promise<void> {
  const { engine, model } = await world.about(queue, () =>
    world.ask((storage) => storage.queues.create({ key: world.key(queue), metadata, now: world.now })),
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

  step(1, 'delete queue', { queue: anyQueue, handle: handleAge }, (world, { queue, handle }) =>
    world.withHandle(queue, handle, (known) =>
      world.ask((storage, of) => storage.queues.delete({ queue: of(known), now: world.now })),
    ),
  ),

  step(1, 'get queue', { queue: anyQueue }, async (world, { queue }) => {
    const { engine, model } = await world.about(queue, () =>
      world.ask((storage) => storage.queues.get({ key: world.key(queue), now: world.now })),
    )
    if (engine && model) world.sawQueue(queue, { engine, model })
  }),

  step(
    2,
    'stats',
    { queue: anyQueue, handle: handleAge, countDelayed: fc.option(fc.nat(3), { nil: undefined }) },
    (world, { queue, handle, countDelayed }) =>
      world.withHandle(queue, handle, (known) =>
        world.ask((storage, of) => storage.queues.stats({ queue: of(known), countDelayed, now: world.now })),
      ),
  ),
]
