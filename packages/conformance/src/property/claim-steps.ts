import fc from 'fast-check'
import { claimableQueue, deadLetter, handleAge, limit, pick } from './alphabets.ts'
import { step } from './step.ts'

const claimTerms = { ttlSeconds: fc.constantFrom(1, 5, 10), graceSeconds: fc.constantFrom(0, 1, 5) }

export const claimSteps = [
  step(
    18,
    'claim',
    { queue: claimableQueue, handle: handleAge, limit, ...claimTerms, deadLetter },
    (world, { queue, handle, limit, ttlSeconds, graceSeconds, deadLetter }) =>
      world.withHandle(queue, handle, async (known) => {
        const terms = { limit, ttlSeconds, graceSeconds, deadLetter, now: world.now }
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

  step(3, 'get claim', { queue: claimableQueue, handle: handleAge, claim: pick }, (world, { queue, handle, claim }) =>
    world.withHandle(queue, handle, async (known) => {
      const claimId = world.pick(world.claims, queue, claim)
      if (!claimId) return
      await world.ask((storage, of) => storage.claims.get({ queue: of(known), claimId: of(claimId), now: world.now }))
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
