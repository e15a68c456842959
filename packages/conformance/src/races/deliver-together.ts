import assert from 'node:assert/strict'
import type { Lease, QueueHandle, Storage } from 'zaqar/storage'
import { done, fresh, postponed, type Scene, toldBy } from '../scene.ts'
import { allAtOnce } from './all-at-once.ts'

const producers = 3
const postsOfEach = 20
const couriers = 8
const roundsOfEach = 20
const subscriptions = 5
const leaseSeconds = 60

/** What the couriers of one queue share. */
interface Work {
  readonly scene: Scene
  readonly queue: QueueHandle
  /** Subscriptions that are leased, as couriers know it: struck out before the end of a lease is asked for. */
  readonly held: Set<string>
  /** For each subscription the words that were delivered to it, in that order. */
  readonly delivered: Map<string, string[]>
}

/**
 * Producers post while couriers lease, deliver, and give leases back or go on with them. No subscription is leased by
 * two at once, and each gets each message once; those of one producer in the order of posting, where nothing failed.
 */
export async function deliverTogether(scene: Scene, clients: readonly Storage[]): Promise<void> {
  const work: Work = { scene, queue: await scene.queue(), held: new Set(), delivered: new Map() }
  for (let n = 0; n < subscriptions; n += 1) {
    await scene.subscribe(work.queue, `s${n}`)
    work.delivered.set(`s${n}`, [])
  }
  const posting = allAtOnce(producers, clients, (client, producer) => produce(work, client, producer))
  await allAtOnce(couriers, clients, (client, courier) => deliver(work, client, courier))
  const posted = (await posting).flat()
  for (let left = 1; left > 0; ) left = await deliverOnce(work, scene.storage, 0)

  for (const [subscription, words] of work.delivered) {
    assert.deepEqual(words.toSorted(), posted.toSorted(), `${subscription} gets each message once`)
    for (let producer = 1; producer < producers; producer += 1) {
      const mine = words.filter((word) => word.startsWith(`${producer} `))
      assert.deepEqual(
        mine,
        posted.filter((word) => word.startsWith(`${producer} `)),
        'in the order of posting',
      )
    }
  }
  assert.deepEqual(await scene.owed(), {})
}

/** Those of the first producer may be postponed. */
async function produce({ scene, queue }: Work, client: Storage, producer: number): Promise<string[]> {
  const posted: string[] = []
  for (let post = 0; post < postsOfEach; post += 1) {
    const words = Array.from({ length: 1 + (post % 3) }, (_, index) => `${producer} ${post}.${index}`)
    const messages = words.map((word) => ({ body: JSON.stringify(word), ttlSeconds: 3600, delaySeconds: 0 }))
    fresh(await client.messages.append({ queue, clientId: `${producer}`, messages, now: scene.now }))
    posted.push(...words)
  }
  return posted
}

async function deliver(work: Work, client: Storage, courier: number): Promise<void> {
  for (let round = 0; round < roundsOfEach; round += 1) await deliverOnce(work, client, courier + round)
}

/** Answers how many subscriptions it delivered to. */
async function deliverOnce(work: Work, client: Storage, kind: number): Promise<number> {
  const batch = { notifications: 3, bytes: 1_000_000 }
  const terms = { limit: 1 + (kind % 3), seconds: leaseSeconds, batch, now: work.scene.now }
  const { leases } = await client.deliveries.lease(terms)
  for (const { subscription } of leases) hold(work.held, subscription.id)
  for (const lease of leases) await settle(work, client, lease, kind)
  return leases.length
}

async function settle({ scene, held, delivered }: Work, client: Storage, lease: Lease, kind: number): Promise<void> {
  const { id } = lease.subscription
  let { notifications } = lease
  for (let goesOn = kind % 2 === 0; notifications.length > 0; goesOn = false) {
    const isLate = (word: string | undefined) => kind % 5 === 1 && word?.startsWith('0 ')
    const outcomes = notifications.flatMap((one) =>
      isLate(toldBy([one])[0]) ? postponed([one], scene.now) : done([one]),
    )
    delivered.get(id)?.push(...toldBy(notifications).filter((word) => !isLate(word)))
    held.delete(id)
    const next = goesOn ? { seconds: leaseSeconds, batch: { notifications: 3, bytes: 1_000_000 } } : null
    const rest = { log: ['0'], keep: { log: 5, failures: 5 }, health: null, restsUntil: null, now: scene.now }
    const answer = await client.deliveries.settle({ lease, outcomes, next, ...rest })
    assert(answer !== 'lost', `the lease of ${id} is lost`)
    notifications = answer.notifications
    if (notifications.length > 0) hold(held, id)
  }
}

function hold(held: Set<string>, id: string): void {
  assert(!held.has(id), `${id} is leased twice at once`)
  held.add(id)
}
