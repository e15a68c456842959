import fc from 'fast-check'
import { anyQueue, limit } from './alphabets.ts'
import { step } from './step.ts'

/** Time goes on to an instant at which something may happen, or to the millisecond before or after it. */
export const timePasses = step(
  10,
  'time passes',
  { instant: fc.nat(5), offset: fc.constantFrom(-1, 0, 0, 1) },
  async (world, { instant, offset }) => {
    const next = world.nextInstants()
    const target = (next[instant % Math.max(next.length, 1)] ?? world.now + 1000) + offset
    if (target > world.now) await world.moveTo(target)
  },
)

export const follow = step(
  5,
  'follow markers',
  { queue: anyQueue, limit, includeDelayed: fc.boolean() },
  (world, { queue, limit, includeDelayed }) => world.follow(queue, includeDelayed, limit),
)

export const readOn = step(3, 'read on with what is gone', {}, (world) => world.readOn())

/** Everything restarts: nothing that must be true lives only in memory. */
export const reopen = step(1, 'reopen the store', {}, (world) => world.reopen())

/** The next steps are asked of another client: no client believes what another has changed. */
export const changeClient = step(12, 'change the client', {}, async (world) => {
  // A part that was not there for one who opens it is tried again by a time of its own.
  if (!world.isFailing) await world.clients.change()
})
