import fc from 'fast-check'
import { anyQueue, limit, pick } from './alphabets.ts'
import { step } from './step.ts'

const subscriber = fc.constantFrom('http://one.example/', 'http://two.example/', 'mailto:three@example.org')
const options = fc.constantFrom('{}', '{"n": 1.0}', '{"b": 1, "0": 2}')
const ttlSeconds = fc.constantFrom(1, 10, 60)

export const subscriptionSteps = [
  step(
    3,
    'subscribe',
    { queue: anyQueue, subscriber, ttlSeconds, options },
    async (world, { queue, subscriber, ttlSeconds, options }) => {
      const id = `subscription-${world.nextSerial()}`
      await world.ask((storage) =>
        storage.subscriptions.create({ key: world.key(queue), id, subscriber, ttlSeconds, options, now: world.now }),
      )
      world.found(world.subscriptions, queue, { engine: [id], model: [id] })
      world.expectAfter(ttlSeconds)
    },
  ),

  step(1, 'get subscription', { queue: anyQueue, subscription: pick }, async (world, { queue, subscription }) => {
    const id = world.pick(world.subscriptions, queue, subscription)?.model
    if (id === undefined) return
    await world.ask((storage) => storage.subscriptions.get({ key: world.key(queue), id, now: world.now }))
  }),

  step(
    2,
    'list subscriptions',
    { queue: anyQueue, start: fc.option(pick, { freq: 2 }), limit },
    (world, { queue, start, limit }) => {
      const after = (start && world.pick(world.subscriptions, queue, start)?.model) ?? null
      return world.ask((storage) => storage.subscriptions.list({ key: world.key(queue), after, limit, now: world.now }))
    },
  ),

  step(
    2,
    'update subscription',
    {
      queue: anyQueue,
      subscription: pick,
      subscriber: fc.option(subscriber, { nil: undefined }),
      ttlSeconds: fc.option(ttlSeconds, { nil: undefined }),
      options: fc.option(options, { nil: undefined }),
    },
    async (world, { queue, subscription, ...changes }) => {
      const id = world.pick(world.subscriptions, queue, subscription)?.model
      if (id === undefined) return
      await world.ask((storage) =>
        storage.subscriptions.update({ key: world.key(queue), id, ...changes, now: world.now }),
      )
      if (changes.ttlSeconds !== undefined) world.expectAfter(changes.ttlSeconds)
    },
  ),

  step(
    1,
    'confirm subscription',
    { queue: anyQueue, subscription: pick, confirmed: fc.boolean() },
    async (world, { queue, subscription, confirmed }) => {
      const id = world.pick(world.subscriptions, queue, subscription)?.model
      if (id === undefined) return
      await world.ask((storage) =>
        storage.subscriptions.confirm({ key: world.key(queue), id, confirmed, now: world.now }),
      )
    },
  ),

  step(1, 'delete subscription', { queue: anyQueue, subscription: pick }, async (world, { queue, subscription }) => {
    const id = world.pick(world.subscriptions, queue, subscription)?.model
    if (id === undefined) return
    await world.ask((storage) => storage.subscriptions.delete({ key: world.key(queue), id, now: world.now }))
  }),

  step(1, 'purge subscriptions', { queue: anyQueue }, (world, { queue }) =>
    world.ask((storage) => storage.subscriptions.purge({ key: world.key(queue), now: world.now })),
  ),
]
