import fc from 'fast-check'
import { STALE } from 'zaqar/storage'
import { claimableQueue, claimKey, deadLetter, handleAge, limit, pick, within } from './alphabets.ts'
import { step } from './step.ts'

const holder = fc.constantFrom(undefined, 'ann', 'ben')
const claimTerms = { ttlSeconds: fc.constantFrom(1, 5, 10), graceSeconds: fc.constantFrom(0, 1, 5) }

export const claimSteps = [
  step(
    18,
    'claim',
    { queue: claimableQueue, handle: handleAge, clientId: holder, key: claimKey, limit, ...claimTerms, deadLetter },
    (world, { queue, handle, ttlSeconds, graceSeconds, deadLetter, ...asked }) =>
      world.withHandle(queue, handle, async (known) => {
        const terms = { ...asked, ttlSeconds, graceSeconds, deadLetter: within(world, deadLetter), now: world.now }
        const { engine, model } = await world.ask((storage, of) =>
          storage.claims.create({ queue: of(known), ...terms }),
        )
        if (typeof engine === 'object' && typeof model === 'object' && engine && model) {
          world.found(world.claims, queue, { engine: [engine.id], model: [model.id] })
          world.foundMessages(queue, { engine: engine.messages, model: model.messages })
        }
        world.expectAfter(ttlSeconds, ttlSeconds + graceSeconds)
        await world.mayHaveMoved()
      }),
  ),

  step(
    7,
    'exchange',
    {
      queue: claimableQueue,
      handle: handleAge,
      finished: fc.array(fc.record({ id: pick, claim: pick }), { minLength: 1, maxLength: 3 }),
      clientId: holder,
      key: claimKey,
      limit,
      ...claimTerms,
      deadLetter,
    },
    (world, { queue, handle, finished, ttlSeconds, graceSeconds, deadLetter, ...asked }) =>
      world.withHandle(queue, handle, async (known) => {
        const named = finished.flatMap(({ id, claim }) => {
          const [message, claimId] = [world.pick(world.messages, queue, id), world.pick(world.claims, queue, claim)]
          return message && claimId ? [{ message, claimId }] : []
        })
        const terms = { ...asked, ttlSeconds, graceSeconds, deadLetter: within(world, deadLetter), now: world.now }
        const { engine, model } = await world.ask((storage, of) =>
          storage.claims.exchange({
            queue: of(known),
            finished: named.map(({ message, claimId }) => ({ id: of(message), claimId: of(claimId) })),
            ...terms,
          }),
        )
        world.expectAfter(ttlSeconds, ttlSeconds + graceSeconds)
        await world.mayHaveMoved()
        if (engine === STALE || model === STALE || !('claim' in engine) || !('claim' in model)) return
        if (!engine.claim || !model.claim) return
        world.found(world.claims, queue, { engine: [engine.claim.id], model: [model.claim.id] })
        world.foundMessages(queue, { engine: engine.claim.messages, model: model.claim.messages })
      }),
  ),

  step(3, 'get claim', { queue: claimableQueue, handle: handleAge, claim: pick }, (world, { queue, handle, claim }) =>
    world.withHandle(queue, handle, async (known) => {
      const claimId = world.pick(world.claims, queue, claim)
      if (!claimId) return
      await world.ask((storage, of) => storage.claims.get({ queue: of(known), claimId: of(claimId), now: world.now }))
    }),
  ),

  step(
    3,
    'list claims',
    { queue: claimableQueue, handle: handleAge, start: fc.option(pick, { freq: 2 }), limit },
    (world, { queue, handle, start, limit }) =>
      world.withHandle(queue, handle, (known) => {
        const claimId = start === null ? null : world.pick(world.claims, queue, start)
        return world.ask((storage, of) =>
          storage.claims.list({ queue: of(known), after: claimId ? of(claimId) : null, limit, now: world.now }),
        )
      }),
  ),

  step(
    5,
    'renew claim',
    { queue: claimableQueue, handle: handleAge, claim: pick, ...claimTerms },
    (world, { queue, handle, claim, ...terms }) =>
      world.withHandle(queue, handle, async (known) => {
        const claimId = world.pick(world.claims, queue, claim)
        if (!claimId) return
        await world.ask((storage, of) =>
          storage.claims.renew({ queue: of(known), claimId: of(claimId), ...terms, now: world.now }),
        )
        world.expectAfter(terms.ttlSeconds, terms.ttlSeconds + terms.graceSeconds)
      }),
  ),

  step(
    5,
    'release claim',
    { queue: claimableQueue, handle: handleAge, claim: pick },
    (world, { queue, handle, claim }) =>
      world.withHandle(queue, handle, async (known) => {
        const claimId = world.pick(world.claims, queue, claim)
        if (!claimId) return
        await world.ask((storage, of) =>
          storage.claims.release({ queue: of(known), claimId: of(claimId), now: world.now }),
        )
      }),
  ),
]
