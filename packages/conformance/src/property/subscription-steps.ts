import fc from 'fast-check'
import { STALE } from 'zaqar/storage'
import { anyQueue, handleAge, limit, pick } from './alphabets.ts'
import { createQueue } from './queue-steps.ts'
import { step } from './step.ts'

const subscriber = fc.constantFrom('http://one.example/', 'http://two.example/', 'mailto:three@example.org')
const options = fc.constantFrom('{}', '{"n": 1.0}', '{"b": 1, "0": 2}')
const isListening = fc.constantFrom(true, true, true, true, true, true, false)
const vault = fc.constantFrom(null, '{"n": 1.0}', '{}')
export const LONGEST_SUBSCRIPTION_SECONDS = 600
const ttlSeconds = fc.constantFrom(1, 10, 60, LONGEST_SUBSCRIPTION_SECONDS, LONGEST_SUBSCRIPTION_SECONDS)

export const subscribe = step(
  4,
  'subscribe',
  { queue: anyQueue, handle: handleAge, subscriber, ttlSeconds, options, isListening, vault },
  async (world, { queue, handle, ...terms }) => {
    if (handle === 'latest') await createQueue(world, queue, '{}')
    const id = `subscription-${world.nextSerial()}`
    await world.withHandle(queue, handle, async (known) => {
      const { model } = await world.ask((storage, of) =>
        storage.subscriptions.create({ queue: of(known), id, ...terms, now: world.now }),
      )
      if (model === STALE || !model.created) return
      world.found(world.subscriptions, queue, { engine: [id], model: [id] })
      world.expectAfter(terms.ttlSeconds)
    })
  },
)

export const subscriptionSteps = [
  subscribe,

  step(
    1,
    'get subscription',
    { queue: anyQueue, handle: handleAge, subscription: pick },
    (world, { queue, handle, subscription }) =>
      world.withHandle(queue, handle, async (known) => {
        const id = world.pick(world.subscriptions, queue, subscription)?.model
        if (id === undefined) return
        await world.ask((storage, of) => storage.subscriptions.get({ queue: of(known), id, now: world.now }))
      }),
  ),

  step(
    2,
    'list subscriptions',
    { queue: anyQueue, handle: handleAge, start: fc.option(pick, { freq: 2 }), limit },
    (world, { queue, handle, start, limit }) =>
      world.withHandle(queue, handle, (known) => {
        const after = (start && world.pick(world.subscriptions, queue, start)?.model) ?? null
        return world.ask((storage, of) =>
          storage.subscriptions.list({ queue: of(known), after, limit, now: world.now }),
        )
      }),
  ),

  step(
    2,
    'update subscription',
    {
      queue: anyQueue,
      handle: handleAge,
      subscription: pick,
      subscriber: fc.option(subscriber, { nil: undefined }),
      ttlSeconds: fc.option(ttlSeconds, { nil: undefined }),
      options: fc.option(options, { nil: undefined }),
      isListening: fc.option(isListening, { nil: undefined }),
      vault: fc.option(vault, { nil: undefined }),
    },
    (world, { queue, handle, subscription, ...changes }) =>
      world.withHandle(queue, handle, async (known) => {
        const id = world.pick(world.subscriptions, queue, subscription)?.model
        if (id === undefined) return
        await world.ask((storage, of) =>
          storage.subscriptions.update({ queue: of(known), id, ...changes, now: world.now }),
        )
        if (changes.ttlSeconds !== undefined) world.expectAfter(changes.ttlSeconds)
      }),
  ),

  step(
    1,
    'confirm subscription',
    { queue: anyQueue, handle: handleAge, subscription: pick, confirmed: fc.boolean(), isListening },
    (world, { queue, handle, subscription, confirmed, isListening }) =>
      world.withHandle(queue, handle, async (known) => {
        const id = world.pick(world.subscriptions, queue, subscription)?.model
        if (id === undefined) return
        await world.ask((storage, of) =>
          storage.subscriptions.confirm({ queue: of(known), id, confirmed, isListening, now: world.now }),
        )
      }),
  ),

  step(
    1,
    'delete subscription',
    { queue: anyQueue, handle: handleAge, subscription: pick },
    (world, { queue, handle, subscription }) =>
      world.withHandle(queue, handle, async (known) => {
        const id = world.pick(world.subscriptions, queue, subscription)?.model
        if (id === undefined) return
        await world.ask((storage, of) => storage.subscriptions.delete({ queue: of(known), id, now: world.now }))
      }),
  ),

  step(1, 'purge subscriptions', { queue: anyQueue, handle: handleAge }, (world, { queue, handle }) =>
    world.withHandle(queue, handle, (known) =>
      world.ask((storage, of) => storage.subscriptions.purge({ queue: of(known), now: world.now })),
    ),
  ),
]
