import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Lease, Notification, Outcome } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { anyQueue, handleAge, limit, pick, picks } from './alphabets.ts'
import { step } from './step.ts'
import type { World } from './world.ts'

const seconds = fc.constantFrom(1, 1, 10, 60)
const notifications = fc.constantFrom(1, 2, 20)
/** Bodies may be kept sealed, so there is no telling how many fill a number of bytes. */
const bytes = 1_000_000_000
const keep = { log: 3, failures: 2 }

/** What became of a notification, `seconds` from now until it is tried again or until its record ends. */
const outcome = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ became: 'done' as const, seconds: 0 }) },
  {
    weight: 3,
    arbitrary: fc.record({ became: fc.constant('postponed' as const), seconds: fc.constantFrom(0, 1, 10) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ became: fc.constant('failed' as const), seconds: fc.constantFrom(1, 10, 600, 600) }),
  },
)
type OutcomeValues = typeof outcome extends fc.Arbitrary<infer Values> ? Values : never

export const deliverySteps = [
  /** Engines choose whom they lease first, so the model leases the same ones. */
  step(
    14,
    'lease',
    { limit: fc.constantFrom(1, 2, 1000, 1000), seconds, notifications },
    async (world, { limit, seconds, notifications }) => {
      const answers: { leases: Lease[]; next: number | null }[] = []
      await world.lookAgainAtAll()
      await world.ask(async (storage) => {
        const first = answers[0]?.leases.map(({ subscription }) => subscription.id)
        const chosen = first && { first, limit: first.length }
        const terms = { limit, seconds, batch: { notifications, bytes }, now: world.now, ...chosen }
        const answer = await storage.deliveries.lease(terms)
        answer.leases.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
        answers.push(answer)
        return answer.leases.map(({ id: _id, notifications, ...lease }) => ({
          ...lease,
          notifications: withoutRefs(notifications),
        }))
      })
      const [engine, model] = answers
      assert(engine && model)
      assert(engine.leases.length <= limit, 'no more than the limit')
      if (!world.isFailing) {
        const { next } = model
        const isInTime = next === null || (engine.next !== null && engine.next <= next)
        assert(isInTime, `another lease may bring more from ${next} on, and ${engine.next} was said`)
        world.workNews.said(world.engine, engine.next)
      }
      for (const [index, lease] of engine.leases.entries()) {
        const other: Lease | undefined = model.leases[index]
        assert(other)
        world.leases.push({
          lease: { engine: lease, model: other },
          handedOut: { engine: lease.notifications, model: other.notifications },
        })
      }
      world.expectAfter(seconds)
    },
  ),

  step(
    20,
    'settle',
    {
      newest: fc.oneof({ weight: 5, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(20) }),
      outcomes: fc.array(outcome, { maxLength: 4 }),
      next: fc.option(fc.record({ seconds, notifications }), { freq: 1 }),
      rest: fc.option(fc.constantFrom(1, 10), { freq: 3 }),
      isFailing: fc.boolean(),
      logs: fc.nat(4),
    },
    async (world, { newest, outcomes, next, rest, isFailing, logs }) => {
      const leased = world.leases.at(-1 - (newest % Math.max(world.leases.length, 1)))
      if (!leased) return
      const { now } = world
      const serial = world.nextSerial()
      const settled: (readonly Notification[])[] = []
      const settle = () =>
        world.ask(async (storage, of) => {
          const answer = await storage.deliveries.settle({
            lease: of(leased.lease),
            outcomes: outcomesOf(of(leased.handedOut), outcomes, now),
            log: Array.from({ length: logs }, (_, index) => `"${serial}.${index}"`),
            keep,
            health: isFailing ? { failures: serial, failingSince: now, pausedUntil: null } : null,
            next: next && { seconds: next.seconds, batch: { notifications: next.notifications, bytes } },
            restsUntil: next === null && rest !== null ? now + rest * 1000 : null,
            now,
          })
          if (answer === 'lost') return 'lost'
          settled.push(answer.notifications)
          const { subscription, notifications, endsAt } = answer
          return {
            subscription,
            notifications: withoutRefs(notifications),
            endsAt: notifications.length > 0 ? endsAt : null,
          }
        })
      const queue = world.indexOf(leased.lease.model.queue)
      assert(queue !== null)
      const { model } = await world.about(queue, settle)
      // What has ended is picked last.
      if (model === 'lost' || model.endsAt === null) {
        world.leases.splice(world.leases.indexOf(leased), 1)
        world.leases.unshift(leased)
      }
      if (model === 'lost') return
      const [engineNext = [], modelNext = []] = settled
      leased.handedOut = { engine: engineNext, model: modelNext }
      world.expectAfter(...outcomes.map(({ seconds }) => seconds), next?.seconds ?? 0, rest ?? 0)
    },
  ),

  step(
    2,
    'announce',
    { queue: anyQueue, handle: handleAge, subscription: pick },
    (world, { queue, handle, subscription }) =>
      onSubscription(world, { queue, handle, subscription }, (known, id) => {
        const text = `"announcement ${world.nextSerial()}"`
        return world.ask((storage, of) => storage.deliveries.announce({ queue: of(known), id, text, now: world.now }))
      }),
  ),

  step(
    3,
    'list failures',
    { queue: anyQueue, handle: handleAge, subscription: pick, start: fc.option(pick), limit },
    (world, { queue, handle, subscription, start, limit }) =>
      onSubscription(world, { queue, handle, subscription }, async (known, id) => {
        // A marker of another subscription has no meaning.
        const markers = world.failureMarkers.filter((found) => found.subscription === id)
        const after = start && world.pick(markers, queue, start)
        const { engine, model } = await world.ask((storage, of) =>
          storage.deliveries.failures({ queue: of(known), id, after: after && of(after), limit, now: world.now }),
        )
        if (engine === STALE || model === STALE || !engine?.marker || !model?.marker) return
        const name = { engine: engine.marker, model: model.marker }
        world.failureMarkers.push({ subscription: id, queue, name })
      }),
  ),

  step(
    4,
    'replay',
    {
      queue: anyQueue,
      handle: handleAge,
      subscription: pick,
      messages: fc.option(picks, { freq: 2 }),
      since: fc.option(fc.constantFrom(0, 1, 10), { freq: 2 }),
      limit,
    },
    (world, { queue, handle, subscription, messages, since, limit }) =>
      onSubscription(world, { queue, handle, subscription }, (known, id) => {
        const ids = messages && world.pickAll(world.postings, queue, messages)
        return world.ask(async (storage, of) => {
          const replayed = await storage.deliveries.replay({
            queue: of(known),
            id,
            messageIds: ids === null ? null : ids.map(of),
            since: since === null ? null : world.now - since * 1000,
            limit,
            now: world.now,
          })
          return replayed === STALE ? STALE : { ids: replayed }
        })
      }),
  ),

  step(1, 'read log', { queue: anyQueue, handle: handleAge, subscription: pick }, (world, values) =>
    onSubscription(world, values, (known, id) =>
      world.ask((storage, of) => storage.deliveries.log({ queue: of(known), id, now: world.now })),
    ),
  ),
]

type Known = Parameters<Parameters<World['withHandle']>[2]>[0]
type Asked = { queue: number; handle: Parameters<World['withHandle']>[1]; subscription: Parameters<World['pick']>[2] }

/** Does nothing while there is no such queue or subscription. */
async function onSubscription(
  world: World,
  { queue, handle, subscription }: Asked,
  use: (known: Known, id: string) => Promise<unknown>,
): Promise<void> {
  await world.withHandle(queue, handle, async (known) => {
    const id = world.pick(world.subscriptions, queue, subscription)?.model
    if (id !== undefined) await use(known, id)
  })
}

function nameOf({ queue, subscription }: Lease): string {
  return JSON.stringify([queue.project, queue.kind, queue.name, subscription.id])
}

/** Each storage has its own. */
function withoutRefs(notifications: readonly Notification[]): Omit<Notification, 'ref'>[] {
  return notifications.map(({ ref: _ref, ...notification }) => notification)
}

function outcomesOf(handedOut: readonly Notification[], values: readonly OutcomeValues[], now: number): Outcome[] {
  return handedOut.slice(0, values.length).map(({ ref }, index): Outcome => {
    const { became, seconds } = values[index] ?? { became: 'done', seconds: 0 }
    const attempts = `[${seconds}, ${now}]`
    if (became === 'done') return { ref, became }
    if (became === 'postponed') return { ref, became, until: now + seconds * 1000, attempts }
    return { ref, became, attempts, expiresAt: now + seconds * 1000 }
  })
}
