import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createModel, ManualClock } from 'zaqar-conformance'
import { type QueueHandle, STALE, type Storage, StorageUnavailable } from '../../src/storage/contract.ts'
import { encryptedStorage } from '../../src/storage/encrypted/encrypted-storage.ts'
import { MessageCipher } from '../../src/storage/encrypted/message-cipher.ts'

const batch = { notifications: 10, bytes: 1_000_000 }
const vault = '{"secrets":[{"key":"c2VjcmV0","until":null}],"trust":null}'

/** A store, as it is and with a key around it, and a subscription of an encrypted queue. */
async function open() {
  const clock = new ManualClock()
  const plain = createModel(clock)
  const sealing = encryptedStorage(plain, new MessageCipher('a key', []))
  const withoutKey = encryptedStorage(plain, new MessageCipher(null, []))
  const now = clock.now()
  const key = { project: 'alpha', kind: 'queue', name: 'jobs' } as const
  const { queue: created } = await plain.queues.create({ key, metadata: '{}', now })
  const queue: QueueHandle = { ...created, isEncrypted: true }
  return { clock, plain, sealing, withoutKey, queue }
}

async function subscribe({ subscriptions }: Storage, queue: QueueHandle, clock: ManualClock, id: string, kept = vault) {
  const terms = { subscriber: `http://${id}.example/`, ttlSeconds: 3600, options: '{}', isListening: true }
  const answer = await subscriptions.create({ queue, id, ...terms, vault: kept, now: clock.now() })
  assert(answer !== STALE)
  return answer.subscription
}

async function post({ messages }: Storage, queue: QueueHandle, clock: ManualClock, ...words: string[]) {
  const posted = words.map((word) => ({ body: JSON.stringify(word), ttlSeconds: 3600, delaySeconds: 0 }))
  await messages.append({ queue, clientId: 'poster', messages: posted, now: clock.now() })
}

async function lease({ deliveries }: Storage, clock: ManualClock) {
  return deliveries.lease({ limit: 10, seconds: 60, batch, now: clock.now() })
}

function bodiesOf(notifications: Awaited<ReturnType<typeof lease>>['leases'][number]['notifications']): string[] {
  return notifications.map(({ content }) => (content.kind === 'message' ? content.message.body : content.text))
}

describe('deliveries of encrypted queues', () => {
  test('what waits to be delivered waits sealed, and is opened on its way out', async () => {
    const { clock, plain, sealing, queue } = await open()
    await subscribe(sealing, queue, clock, 's')
    await post(sealing, queue, clock, 'a', 'b', 'c')
    const stored = await lease(plain, clock)
    for (const body of bodiesOf(stored.leases[0]?.notifications ?? [])) assert.match(body, /^enc:1:/)
    clock.advance(60_000)

    const [first] = (await lease(sealing, clock)).leases
    assert(first)
    assert.deepEqual(bodiesOf(first.notifications), ['"a"', '"b"', '"c"'])
    const [a, b] = first.notifications
    assert(a && b)
    const expiresAt = clock.now() + 60_000
    const answer = await sealing.deliveries.settle({
      lease: first,
      outcomes: [
        { ref: a.ref, became: 'failed', attempts: '[]', expiresAt },
        { ref: b.ref, became: 'postponed', attempts: '[]', until: clock.now() },
      ],
      log: [],
      keep: { log: 1, failures: 1 },
      health: null,
      next: { seconds: 60, batch },
      restsUntil: null,
      now: clock.now(),
    })
    assert(answer !== 'lost')
    assert.deepEqual(bodiesOf(answer.notifications), ['"b"', '"c"'])
    assert.equal(answer.subscription.vault, vault)
    const listing = { queue, id: 's', after: null, limit: 10, now: clock.now() }
    const [listed, kept] = [await sealing.deliveries.failures(listing), await plain.deliveries.failures(listing)]
    assert(listed !== STALE && listed !== null && kept !== STALE && kept !== null)
    assert.equal(listed.failures[0]?.message.body, '"a"')
    assert.match(kept.failures[0]?.message.body ?? '', /^enc:1:/)
  })

  test('what the service keeps about a subscription is sealed where there is a key, and opened everywhere', async () => {
    const { clock, plain, sealing, queue } = await open()
    const created = await subscribe(sealing, queue, clock, 's')
    assert.equal(created.vault, vault)
    assert.equal((await subscribe(sealing, queue, clock, 's')).vault, vault)
    const now = clock.now()
    const stored = await plain.subscriptions.get({ queue, id: 's', now })
    assert(stored !== STALE && stored !== null)
    assert.match(stored.vault ?? '', /^enc:1:/)
    assert.deepEqual(await sealing.subscriptions.get({ queue, id: 's', now }), created)
    assert.deepEqual(await sealing.subscriptions.list({ queue, after: null, limit: 10, now }), [created])
    await post(sealing, queue, clock, 'a')
    assert.deepEqual((await lease(sealing, clock)).leases[0]?.subscription, created)
    await sealing.subscriptions.update({ queue, id: 's', vault: '{}', now })
    const changed = await plain.subscriptions.get({ queue, id: 's', now })
    assert(changed !== STALE && changed !== null)
    assert.match(changed.vault ?? '', /^enc:1:/)
    await sealing.subscriptions.update({ queue, id: 's', vault: null, now })
    assert.deepEqual(await sealing.subscriptions.get({ queue, id: 's', now }), { ...created, vault: null })
  })

  test('what was kept without a key stays readable', async () => {
    const { clock, sealing, withoutKey, queue } = await open()
    await subscribe(withoutKey, queue, clock, 's')
    const found = await sealing.subscriptions.get({ queue, id: 's', now: clock.now() })
    assert(found !== STALE && found !== null)
    assert.equal(found.vault, vault)
  })

  test('what is sealed for a subscription opens for no other one, and passes for no message', async () => {
    const { clock, plain, sealing, queue } = await open()
    await subscribe(sealing, queue, clock, 's')
    const stored = await plain.subscriptions.get({ queue, id: 's', now: clock.now() })
    assert(stored !== STALE && stored !== null && stored.vault !== null)
    await subscribe(plain, queue, clock, 'thief', stored.vault)
    await assert.rejects(sealing.subscriptions.get({ queue, id: 'thief', now: clock.now() }), StorageUnavailable)
    const messages = [{ body: stored.vault, ttlSeconds: 60, delaySeconds: 0 }]
    await plain.messages.append({ queue, clientId: 'thief', messages, now: clock.now() })
    const pop = { queue, limit: 1, deadLetter: null, now: clock.now() }
    await assert.rejects(sealing.messages.pop(pop), StorageUnavailable)
  })

  test('a body that cannot be opened is empty in a lease, and holds up no other message', async () => {
    const { clock, plain, sealing, queue } = await open()
    const other = encryptedStorage(plain, new MessageCipher('another key', []))
    await subscribe(sealing, queue, clock, 's')
    await post(sealing, queue, clock, 'a')
    await post(other, queue, clock, 'b')
    await post(sealing, queue, clock, 'c')
    const [leased] = (await lease(sealing, clock)).leases
    assert.deepEqual(bodiesOf(leased?.notifications ?? []), ['"a"', '', '"c"'])
  })

  test('a lease ends, and the subscription rests, where what was changed meanwhile cannot be opened', async () => {
    const { clock, plain, sealing, queue } = await open()
    const other = encryptedStorage(plain, new MessageCipher('another key', []))
    await subscribe(sealing, queue, clock, 's')
    await post(sealing, queue, clock, 'a', 'b')
    const now = clock.now()
    const { leases } = await sealing.deliveries.lease({
      limit: 1,
      seconds: 60,
      batch: { ...batch, notifications: 1 },
      now,
    })
    const [leased] = leases
    assert(leased?.notifications[0])
    await other.subscriptions.update({ queue, id: 's', vault: '{}', now })
    const settlement = {
      lease: leased,
      outcomes: [{ ref: leased.notifications[0].ref, became: 'done' }],
      log: ['"kept"'],
      keep: { log: 1, failures: 1 },
      health: null,
      next: { seconds: 60, batch },
      restsUntil: null,
      now,
    } as const
    const answer = await sealing.deliveries.settle(settlement)
    assert(answer !== 'lost')
    assert.deepEqual([answer.subscription.vault, answer.notifications, answer.endsAt], [null, [], now])
    assert.equal(await sealing.deliveries.settle(settlement), 'lost')
    assert.deepEqual(await plain.deliveries.log({ queue, id: 's', now }), ['"kept"'])
    const found = await other.subscriptions.get({ queue, id: 's', now })
    assert(found !== STALE && found !== null)
    assert.deepEqual(found.health, { failures: 1, failingSince: now, pausedUntil: now + 60_000 })
    assert.deepEqual((await lease(other, clock)).leases, [])
    clock.advance(60_000)
    const [again] = (await lease(other, clock)).leases
    assert.equal(again?.notifications.length, 1)
  })

  test('a subscription of which something cannot be opened rests for a minute, and others are told', async () => {
    const { clock, plain, sealing, queue } = await open()
    const other = encryptedStorage(plain, new MessageCipher('another key', []))
    await subscribe(other, queue, clock, 'locked')
    await subscribe(sealing, queue, clock, 'open')
    const failingSince = clock.now()
    await post(sealing, queue, clock, 'a')
    for (const failures of [1, 2]) {
      const { leases, next } = await lease(sealing, clock)
      assert.deepEqual(
        leases.map(({ subscription }) => subscription.id),
        ['open'],
      )
      assert(next !== null && next <= clock.now() + 60_000)
      const locked = await other.subscriptions.get({ queue, id: 'locked', now: clock.now() })
      assert(locked !== STALE && locked !== null)
      assert.deepEqual(locked.health, { failures, failingSince, pausedUntil: clock.now() + 60_000 })
      clock.advance(60_000)
    }
    const both = encryptedStorage(plain, new MessageCipher('a key', ['another key']))
    const { leases } = await lease(both, clock)
    assert.deepEqual(leases.map(({ subscription }) => subscription.id).toSorted(), ['locked', 'open'])
  })
})
