import fc from 'fast-check'
import { type Message, STALE } from 'zaqar/storage'
import {
  anyQueue,
  claimableQueue,
  client,
  deadLetter,
  deadLetterQueue,
  handleAge,
  limit,
  pick,
  picks,
  within,
} from './alphabets.ts'
import type { Pair } from './identities.ts'
import { createQueue } from './queue-steps.ts'
import { step } from './step.ts'
import type { World } from './world.ts'

const message = fc.record({
  ttlSeconds: fc.constantFrom(1, 5, 10, 60, 60, 60),
  delaySeconds: fc.constantFrom(0, 0, 0, 0, 1, 5, 10),
})

const idempotency = fc.record({
  key: fc.constantFrom('key-1', 'key-2'),
  digest: fc.constantFrom('digest-1', 'digest-1', 'digest-2'),
  ttlSeconds: fc.constantFrom(1, 10),
})

/** Where a listing starts: at the end of an earlier page, at the POST of a message, or at the beginning. */
const start = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 5, arbitrary: fc.record({ at: fc.constant('marker' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ at: fc.constant('id' as const), pick }) },
)

export const append = step(
  22,
  'append',
  {
    queue: anyQueue,
    handle: handleAge,
    client,
    messages: fc.array(message, { minLength: 1, maxLength: 4 }),
    idempotency: fc.option(idempotency, { freq: 4 }),
  },
  async (world, { queue, handle, client: clientId, messages, idempotency }) => {
    if (handle === 'latest') await createQueue(world, queue, '{}')
    await world.withHandle(queue, handle, async (known) => {
      const { now } = world
      const posted = messages.map((terms) => ({ ...terms, body: JSON.stringify(world.nextSerial()) }))
      const key = idempotency && { ...idempotency, expiresAt: now + idempotency.ttlSeconds * 1000 }
      const { engine, model } = await world.ask((storage, of) =>
        storage.messages.append({ queue: of(known), clientId, messages: posted, idempotency: key ?? undefined, now }),
      )
      if (typeof engine === 'object' && typeof model === 'object') {
        world.found(world.messages, queue, { engine: engine.ids, model: model.ids })
        world.found(world.postings, queue, { engine: engine.ids, model: model.ids })
      }
      for (const { delaySeconds, ttlSeconds } of messages) world.expectAfter(delaySeconds, ttlSeconds)
      if (idempotency) world.expectAfter(idempotency.ttlSeconds)
    })
  },
)

export const messageSteps = [
  append,

  step(
    14,
    'list',
    {
      queue: anyQueue,
      handle: handleAge,
      start,
      limit,
      hideClientId: fc.option(client, { freq: 2 }),
      includeClaimed: fc.boolean(),
      includeDelayed: fc.boolean(),
      withMarkers: fc.boolean(),
    },
    (world, { queue, handle, start, limit, hideClientId, includeClaimed, includeDelayed, withMarkers }) =>
      world.withHandle(queue, handle, async (known) => {
        const after = start && pickStart(world, queue, start, includeDelayed)
        const filters = { limit, hideClientId, includeClaimed, includeDelayed, withMarkers }
        const { engine, model } = await world.ask((storage, of) =>
          storage.messages.list({ queue: of(known), after: after && of(after), ...filters, now: world.now }),
        )
        if (engine === STALE || model === STALE) return
        world.foundMessages(queue, { engine: engine.messages, model: model.messages })
        const markers = includeDelayed ? world.arrivalMarkers : world.placeMarkers
        world.found(markers, queue, { engine: markersOf(engine), model: markersOf(model) })
      }),
  ),

  step(4, 'get', { queue: anyQueue, handle: handleAge, ids: picks }, (world, { queue, handle, ids }) =>
    world.withHandle(queue, handle, (known) => {
      const picked = world.pickAll(world.messages, queue, ids)
      return world.ask((storage, of) => storage.messages.get({ queue: of(known), ids: picked.map(of), now: world.now }))
    }),
  ),

  step(
    7,
    'delete',
    { queue: anyQueue, handle: handleAge, id: pick, claim: fc.option(pick, { freq: 3 }) },
    (world, { queue, handle, id, claim }) =>
      world.withHandle(queue, handle, async (known) => {
        const message = world.pick(world.messages, queue, id)
        const claimId = claim && world.pick(world.claims, queue, claim)
        if (!message) return
        await world.ask((storage, of) =>
          storage.messages.delete({
            queue: of(known),
            id: of(message),
            claimId: claimId && of(claimId),
            now: world.now,
          }),
        )
      }),
  ),

  step(
    3,
    'delete many',
    { queue: anyQueue, handle: handleAge, ids: picks, claims: fc.option(picks, { freq: 2 }) },
    (world, { queue, handle, ids, claims }) =>
      world.withHandle(queue, handle, (known) => {
        const messages = world.pickAll(world.messages, queue, ids)
        const claimIds = claims && world.pickAll(world.claims, queue, claims)
        return world.ask((storage, of) =>
          storage.messages.deleteMany({
            queue: of(known),
            ids: messages.map(of),
            claimIds: claimIds === null ? null : claimIds.map(of),
            now: world.now,
          }),
        )
      }),
  ),

  step(
    5,
    'pop',
    { queue: claimableQueue, handle: handleAge, limit, deadLetter },
    (world, { queue, handle, limit, deadLetter }) =>
      world.withHandle(queue, handle, async (known) => {
        const terms = { limit, deadLetter: within(world, deadLetter), now: world.now }
        await world.ask((storage, of) => storage.messages.pop({ queue: of(known), ...terms }))
        await world.mayHaveMoved()
      }),
  ),

  step(1, 'purge', { queue: anyQueue, handle: handleAge }, (world, { queue, handle }) =>
    world.withHandle(queue, handle, (known) =>
      world.ask((storage, of) => storage.messages.purge({ queue: of(known), now: world.now })),
    ),
  ),

  step(
    4,
    'redrive',
    {
      queue: deadLetterQueue,
      handle: handleAge,
      ids: fc.option(picks, { freq: 2 }),
      limit,
      elsewhere: fc.constantFrom([], [], ['a'], ['a', 'ab']),
    },
    (world, { queue, handle, ids, limit, elsewhere }) =>
      world.withHandle(queue, handle, async (known) => {
        const picked = ids && world.pickAll(world.messages, queue, ids)
        const redrive = () =>
          world.ask((storage, of) =>
            storage.messages.redrive({
              queue: of(known),
              ids: picked === null ? null : picked.map(of),
              limit,
              ...(world.hasElsewhere && { elsewhere }),
              now: world.now,
            }),
          )
        // Nobody can say whether the queues are there that the messages came from, while their part fails.
        await world.withOthers(redrive)
        await world.mayHaveMoved()
      }),
  ),
]

/** Of each message, where it was asked for, and of the page. */
function markersOf({ messages, marker }: { messages: readonly Message[]; marker: string | null }): string[] {
  return [...messages.flatMap((message) => message.marker ?? []), ...(marker === null ? [] : [marker])]
}

/**
 * A marker is used for the kind of listing that gave it: places and order of arrival are two orders. An id that was
 * posted to another queue of the project is left out, since its message may have moved here.
 */
function pickStart(
  world: World,
  queue: number,
  start: { at: 'marker' | 'id'; pick: Parameters<World['pick']>[2] },
  includeDelayed: boolean,
): Pair<string> | null {
  if (start.at === 'marker') {
    return world.pick(includeDelayed ? world.arrivalMarkers : world.placeMarkers, queue, start.pick)
  }
  const { project } = world.key(queue)
  const usable = world.postings.filter(
    (posting) => posting.queue === queue || world.key(posting.queue).project !== project,
  )
  return world.pick(usable, queue, start.pick)
}
