import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createClaim } from '../../src/core/operations/claims/create-claim.ts'
import { deleteMessage } from '../../src/core/operations/messages/delete-message.ts'
import { popMessages } from '../../src/core/operations/messages/pop-messages.ts'
import { redriveMessages } from '../../src/core/operations/messages/redrive-messages.ts'
import { createQueue } from '../../src/core/operations/queues/create-queue.ts'
import { purgeQueue } from '../../src/core/operations/queues/purge-queue.ts'
import { confirmSubscription } from '../../src/core/operations/subscriptions/confirm-subscription.ts'
import { createSubscription } from '../../src/core/operations/subscriptions/create-subscription.ts'
import { subscribeReceiver } from '../../src/core/operations/subscriptions/subscribe-receiver.ts'
import { updateSubscription } from '../../src/core/operations/subscriptions/update-subscription.ts'
import { onTopics } from '../../src/core/operations/topics/on-topics.ts'
import { GONE_MS } from '../../src/storage/contract.ts'
import { Connection, connections, openScene, type Scene } from '../support/pushes.ts'
import { settled } from '../support/settled.ts'

describe('a subscription that pushes to a connection', () => {
  test('begins with what is posted once it was made, whoever posts it', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.post(['before'])
    await scene.subscribe(one)
    await scene.post(['a', 'b'])
    await scene.post(['c'])
    assert.deepEqual(one.seen, ['a', 'b', 'c'])
  })

  test('creates a missing queue', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { id } = await scene.subscribe(one)
    assert.deepEqual(await scene.rows(), [id])
    await scene.post(['a'])
    assert.deepEqual(one.seen, ['a'])
  })

  test('misses nothing that is taken away as soon as it was posted, by whichever way', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const subscribed = await scene.run(subscribeReceiver, { queue: 'jobs', receiver: one, options: {} })
    const [a] = await scene.post(['a'])
    await scene.run(deleteMessage, { queue: 'jobs', id: a as string })
    await scene.post(['b'])
    await scene.run(popMessages, { queue: 'jobs', limit: 1 })
    subscribed.begin()
    await settled()
    await scene.post(['c'])
    assert.deepEqual(one.seen, ['a', 'b', 'c'])
  })

  test('begins behind a marker with what still stands there, and goes on, with nothing twice', async (t) => {
    const scene = await openScene(t)
    const [first, second, third] = [new Connection('first'), new Connection('second'), new Connection('third')]
    await scene.subscribe(first, { options: { _with_ids: true } })
    await scene.post(['a', 'b', 'c'])
    const [, b] = first.pages[0]?.messages ?? []
    assert.ok(b?.marker)
    assert.equal(first.pushes[0]?.withIds, true)
    const { marker } = await scene.subscribe(second, { marker: b.marker })
    assert.equal(marker, b.marker)
    await scene.subscribe(third, { marker: 'none of this queue' })
    await scene.post(['d'])
    assert.deepEqual(second.seen, ['c', 'd'])
    assert.deepEqual(third.seen, ['a', 'b', 'c', 'd'])
  })

  test('answers a marker behind which another goes on where it began', async (t) => {
    const scene = await openScene(t)
    const [one, other] = [new Connection('one'), new Connection('other')]
    await scene.post(['before'])
    const { marker } = await scene.subscribe(one)
    await scene.waiting.pushes.gone(one)
    await scene.post(['a'])
    await scene.subscribe(other, { marker: marker as string })
    assert.deepEqual([one.seen, other.seen], [[], ['a']])
  })

  test('comes when the delay of a message is over, and once when a dead letter comes back', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const metadata = { _default_message_delay: 10, _dead_letter_queue: 'dead', _max_claim_count: 1 }
    await scene.run(createQueue, { queue: 'jobs', metadata })
    await scene.subscribe(one)
    await scene.post(['a'])
    assert.deepEqual(one.seen, [])
    await scene.pass(10)
    assert.deepEqual(one.news(), ['a'])
    for (let i = 0; i < 2; i++) {
      await scene.run(createClaim, { queue: 'jobs', ttlSeconds: 60 })
      await scene.pass(60)
    }
    assert.deepEqual(one.news(), [])
    const { moved } = await scene.run(redriveMessages, { queue: 'dead' })
    await settled()
    assert.equal(moved.length, 1)
    assert.deepEqual(one.news(), ['a'])
  })

  test('comes in pages of 50', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    for (let i = 0; i < 8; i++) await scene.post(Array.from({ length: 15 }, (_, j) => `${i} ${j}`))
    await scene.subscribe(one, { marker: 'the beginning' })
    assert.deepEqual(
      one.pages.map(({ messages }) => messages.length),
      [50, 50, 20],
    )
  })

  test('pushes nothing before it is told to begin', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { begin } = await scene.run(subscribeReceiver, { queue: 'jobs', receiver: one, options: {} })
    await scene.post(['a'])
    assert.deepEqual(one.seen, [])
    begin()
    await settled()
    assert.deepEqual(one.seen, ['a'])
  })

  test('is one for each queue and connection', async (t) => {
    const scene = await openScene(t)
    const [one, other] = [new Connection('one'), new Connection('other')]
    await scene.subscribe(one)
    await assert.rejects(scene.subscribe(one), { code: 'subscription.exists' })
    await scene.subscribe(one, { queue: 'others' })
    await scene.subscribe(other)
    await scene.post(['a'])
    await scene.post(['b'], { queue: 'others' })
    assert.deepEqual([one.seen, other.seen], [['a', 'b'], ['a']])
    assert.deepEqual(
      one.pushes.map(({ key }) => key.name),
      ['jobs', 'others'],
    )
  })

  test('cannot be asked for by name', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { id } = await scene.subscribe(one)
    const subscriber = 'websocket:another'
    const refused = { code: 'subscriber.not_supported' }
    await assert.rejects(scene.run(createSubscription, { queue: 'jobs', subscriber, options: {} }), refused)
    await assert.rejects(scene.run(updateSubscription, { queue: 'jobs', id, subscriber }), refused)
  })

  test('works on topics', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const { begin } = await scene.run(onTopics(subscribeReceiver), { queue: 'jobs', receiver: one, options: {} })
    begin()
    await scene.post(['of the queue'])
    await scene.post(['of the topic'], { kind: 'topic' })
    assert.deepEqual(one.seen, ['of the topic'])
    assert.equal(one.pushes[0]?.key.kind, 'topic')
  })

  test('waits for a connection that is slow, without others waiting, and loses nothing', async (t) => {
    const scene = await openScene(t)
    const [slow, fast] = [new Connection('slow'), new Connection('fast')]
    slow.busy = Promise.withResolvers()
    for (const one of [slow, fast]) await scene.subscribe(one)
    for (const body of ['a', 'b', 'c']) await scene.post([body])
    assert.deepEqual([slow.seen, fast.seen], [['a'], ['a', 'b', 'c']])
    slow.goOn()
    await settled()
    assert.deepEqual(slow.seen, ['a', 'b', 'c'])
  })

  test('goes on where it was when messages could not be read for a while', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one)
    scene.failing.add('messages.list')
    await scene.post(['a'])
    await scene.pass(5)
    assert.deepEqual(one.seen, [])
    scene.failing.clear()
    await scene.pass(1)
    await scene.post(['b'])
    assert.deepEqual(one.seen, ['a', 'b'])
    assert.deepEqual(scene.troubles, [], 'whoever runs the store knows')
  })
})

describe('a connection is told that it may have missed messages', () => {
  test('when none could be read for longer than what is removed is kept', async (t) => {
    const scene = await openScene(t)
    const [one, late] = [new Connection('one'), new Connection('late')]
    const { id } = await scene.subscribe(one)
    scene.failing.add('messages.list')
    await scene.post(['a'])
    await scene.subscribe(late, { marker: 'the beginning' })
    for (let passed = 0; passed < GONE_MS; passed += 1000) await scene.pass(1)
    assert.deepEqual(one.missed, [])
    for (let i = 0; i < 4; i++) await scene.pass(1)
    assert.deepEqual([one.missed, late.missed], [[id], []])
    scene.failing.clear()
    await scene.pass(4)
    await scene.post(['b'])
    assert.deepEqual([one.seen, late.seen], [[], ['a', 'b']])
    assert.equal((await scene.rows()).length, 1, 'the subscription has ended')
  })

  test('when a page was under way for so long, and others came', async (t) => {
    const scene = await openScene(t)
    const [one, other] = [new Connection('one'), new Connection('other')]
    for (const slow of [one, other]) slow.busy = Promise.withResolvers()
    const { id } = await scene.subscribe(one)
    await scene.post(['a'])
    await scene.subscribe(other, { queue: 'others' })
    await scene.post(['a'], { queue: 'others' })
    await scene.pass(GONE_MS / 1000 + 1)
    await scene.post(['b'])
    const keeper = new Connection('keeper')
    await scene.subscribe(keeper, { queue: 'others' })
    for (const slow of [one, other]) slow.goOn()
    await settled()
    assert.deepEqual([one.missed, one.seen], [[id], ['a']])
    assert.deepEqual(other.missed, [], 'others have seen all there is, and it stands where they stand')
  })

  test('when the storage says so, unless it only catches up', async (t) => {
    const scene = await openScene(t)
    const [one, late] = [new Connection('one'), new Connection('late')]
    scene.dropsGone = true
    await scene.subscribe(late, { marker: 'the beginning' })
    assert.deepEqual(late.missed, [])
    const { id } = await scene.subscribe(one)
    await scene.post(['a'])
    assert.deepEqual(one.missed, [id])
  })

  test('when it broke, which is reported', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    one.onPage = () => {
      throw new Error('broken')
    }
    const { id } = await scene.subscribe(one)
    await scene.post(['a'])
    assert.deepEqual([one.missed, scene.troubles.map(String)], [[id], ['Error: broken']])
    assert.deepEqual(await scene.rows(), [])
  })
})

describe('what may be pushed', () => {
  test('is what passes the filter, as it is now', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    const long = 'x'.repeat(5000)
    const post = async (...messages: { kind: string; of?: string }[]) => {
      await scene.post(messages as never)
    }
    const { id } = await scene.subscribe(one, { options: { _filter: { kind: ['a'] } } })
    await post({ kind: 'a' }, { kind: 'b' }, { kind: 'a', of: long }, { kind: 'b', of: long })
    await post({ kind: 'b' })
    assert.deepEqual(one.news(), [{ kind: 'a' }, { kind: 'a', of: long }])
    assert.equal(one.pages.length, 1)
    await scene.run(updateSubscription, { queue: 'jobs', id, options: { _filter: { kind: ['b'] }, _with_ids: true } })
    await settled()
    await post({ kind: 'a' }, { kind: 'b' })
    assert.deepEqual(one.news(), [{ kind: 'b' }])
    assert.equal(one.pushes.at(-1)?.withIds, true)
  })

  test('is nothing before the subscription is confirmed where that is wanted, and then all since it was made', async (t) => {
    const scene = await openScene(t, { requiresConfirmation: true })
    const one = new Connection('one')
    const { id } = await scene.subscribe(one)
    await scene.post(['a'])
    assert.deepEqual(one.seen, [])
    const confirm = async (confirmed: boolean) => {
      await scene.run(confirmSubscription, { queue: 'jobs', id, confirmed })
      await settled()
    }
    await confirm(true)
    await scene.post(['b'])
    assert.deepEqual(one.seen, ['a', 'b'])
    await confirm(false)
    await scene.post(['c'])
    assert.deepEqual(one.seen, ['a', 'b'])
    await confirm(true)
    assert.deepEqual(one.seen, ['a', 'b', 'c'])
    const { leases } = await scene.storage.deliveries.lease({
      limit: 10,
      seconds: 1,
      batch: { notifications: 1, bytes: 1 },
      now: scene.clock.now(),
    })
    assert.deepEqual(leases, [], 'delivery has nothing to do with it')
    assert.deepEqual(scene.troubles, [])
  })

  test('goes on behind a page that was being taken when it was stopped, and only once that is taken', async (t) => {
    const scene = await openScene(t, { requiresConfirmation: true })
    const one = new Connection('one')
    const { id } = await scene.subscribe(one)
    const confirm = async (confirmed: boolean) => {
      await scene.run(confirmSubscription, { queue: 'jobs', id, confirmed })
      await settled()
    }
    one.busy = Promise.withResolvers()
    await confirm(true)
    await scene.post(['a'])
    await confirm(false)
    await scene.post(['b'])
    await confirm(true)
    assert.deepEqual(one.seen, ['a'])
    one.goOn()
    await settled()
    assert.deepEqual(one.seen, ['a', 'b'])
  })

  test('is nothing of what may not be read: a marker needs the right to list', async (t) => {
    const scene = await openScene(t, { deniedPermissions: ['messages:get_all', 'claims:create'] })
    const one = new Connection('one')
    const denied = { code: 'policy.denied' }
    await assert.rejects(scene.subscribe(one, { marker: 'm' }), denied)
    await assert.rejects(scene.subscribe(one, { claim: {} }), denied)
    await scene.subscribe(one)
    assert.equal((await scene.rows()).length, 1)
  })

  test('goes on through a purge of the messages', async (t) => {
    const scene = await openScene(t)
    const one = new Connection('one')
    await scene.subscribe(one)
    await scene.post(['a'])
    await scene.run(purgeQueue, { queue: 'jobs', resources: ['messages'] })
    await scene.post(['b'])
    assert.deepEqual(one.seen, ['a', 'b'])
  })
})

describe('what pushing costs', () => {
  const MANY = 10_000
  const QUEUES = 2_000

  /** Each to the queue of that name. */
  async function subscribeAll(scene: Scene, all: readonly Connection[], queueOf: (one: Connection) => string) {
    const subscribe = (receiver: Connection) =>
      scene.run(subscribeReceiver, { queue: queueOf(receiver), options: {}, receiver })
    for (const { begin } of await Promise.all(all.map(subscribe))) begin()
    await settled()
  }

  test('is one read, one watch and one timer for a queue, however many connections follow it', async (t) => {
    const scene = await openScene(t)
    const all = connections(MANY)
    await subscribeAll(scene, all, () => 'jobs')
    assert.deepEqual(scene.open, { watch: 1, watchSubscriptions: 1, keepGone: 1, timer: 1 })
    assert.equal(scene.calls.get('keepGone'), 1)
    for (const body of ['a', 'b']) {
      const before = scene.totalCalls()
      await scene.post([body])
      assert.equal(scene.totalCalls() - before, 2, 'the POST, and one listing')
    }
    assert.ok(all.every(({ seen }) => seen.join() === 'a,b'))
    assert.equal(all[0]?.pages[0], all[MANY - 1]?.pages[0], 'the same page for all')
    assert.deepEqual(scene.waiting.pushes.counts(), { subscriptions: MANY, pushed: 2 * MANY })
  })

  test('is nothing for queues to which nothing is posted, however many are followed', async (t) => {
    const scene = await openScene(t)
    const all = connections(QUEUES)
    await subscribeAll(scene, all, ({ id }) => id)
    assert.equal(scene.open.timer, 1)
    const before = scene.totalCalls()
    await scene.pass(60)
    assert.equal(scene.totalCalls() - before, 0)
    await scene.post(['a'], { queue: 'c7' })
    assert.equal(scene.totalCalls() - before, 2, 'the POST, and one listing')
    assert.deepEqual(
      all.filter(({ seen }) => seen.length > 0).map(({ id }) => id),
      ['c7'],
    )
  })

  test('is memory once for a long page, however many connections are slow to take it', async (t) => {
    const scene = await openScene(t)
    const all = connections(100)
    await Promise.all(all.map((one) => scene.subscribe(one)))
    for (const one of all) one.busy = Promise.withResolvers()
    const bytes = 200 * 1024
    await scene.post(['x'.repeat(bytes)])
    assert.ok(all.every(({ pages }) => pages.length === 1))
    assert.ok(scene.budget.held > bytes && scene.budget.held < 3 * bytes, String(scene.budget.held))
    for (const one of all) one.goOn()
    await settled()
    assert.equal(scene.budget.held, 0)
  })
})
