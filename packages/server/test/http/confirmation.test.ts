/** With confirmation required: who is asked, when, and what the answers do. (contract notifications.md 5) */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { createUrlSigner } from '../../src/core/rules/signature.ts'
import { confirmationDocument, confirmationOf } from '../../src/delivery/confirmation.ts'
import type { Lease } from '../../src/storage/contract.ts'
import { assertNoContent, json } from '../support/answers.ts'
import { type FreshService, freshService } from '../support/fresh-service.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { KEYSTONE } from '../support/keystone-settings.ts'
import { startStandInKeystone } from '../support/stand-in-keystone.ts'
import { OTHER_CLIENT_ID, type TestClient } from '../support/test-client.ts'

const JOBS = '/v2/queues/jobs/subscriptions'
const HOOK = 'https://hook.example/x'
const OTHER_HOOK = 'https://hook.example/y'
const REQUIRED = { OS_NOTIFICATION__REQUIRE_CONFIRMATION: 'true' }
/** As services in tests have it. */
const signer = createUrlSigner(['a key that only tests know'])

type Given = Pick<FreshService, 'client' | 'clock' | 'storage'>

async function subscribe({ client }: Given, fields: object = {}, at = JOBS): Promise<string> {
  const answer = await client.post(at, { subscriber: HOOK, ...fields })
  assert.equal(answer.status, 201, answer.text)
  return json(answer).subscription_id
}

/** Takes what subscriptions are owed by now, and delivers it. */
async function deliver({ storage, clock }: Given): Promise<Lease[]> {
  const now = clock.now()
  const { leases } = await storage.deliveries.lease({
    limit: 100,
    seconds: 60,
    batch: { notifications: 100, bytes: 1e6 },
    now,
  })
  for (const lease of leases) {
    const outcomes = lease.notifications.map(({ ref }) => ({ ref, became: 'done' as const }))
    const keep = { log: 0, failures: 0 }
    await storage.deliveries.settle({ lease, outcomes, log: [], keep, health: null, next: null, restsUntil: null, now })
  }
  return leases
}

/** The confirmations that subscribers get now, as webhooks see them. */
async function announced(given: Given) {
  return (await deliver(given)).flatMap(({ queue, subscription, notifications }) =>
    notifications.flatMap(({ content }) => {
      if (content.kind === 'message') return []
      const endpoints = { http: null, webSocket: null }
      const parts = { text: content.text, queue, subscription, signer, endpoints, now: given.clock.now() }
      const confirmation = confirmationOf(parts)
      return confirmation === null ? [] : [JSON.parse(confirmationDocument(confirmation))]
    }),
  )
}

/** The bodies of the messages that subscribers get now. */
async function told(given: Given): Promise<string[]> {
  const leases = await deliver(given)
  return leases.flatMap(({ notifications }) =>
    notifications.flatMap(({ content }) => (content.kind === 'message' ? [content.message.body] : [])),
  )
}

/** What the holder of the document sends. */
function signatureOf(document: Record<string, string>): Record<string, string | undefined> {
  return {
    'URL-Signature': document['URL-Signature'],
    'URL-Methods': document['URL-Methods'],
    'URL-Paths': document['URL-Paths'],
    'URL-Expires': document['URL-Expires'],
    'X-Project-Id': document['X-Project-ID'],
  }
}

function holderOf(document: Record<string, string>, { client }: Pick<Given, 'client'>): TestClient {
  return client.with({ 'Client-ID': OTHER_CLIENT_ID, ...signatureOf(document) })
}

const post = (given: Given, body: number) =>
  given.client.post('/v2/queues/jobs/messages', { messages: [{ body, ttl: 300 }] })
const confirmedOf = async (given: Given, id: string) => json(await given.client.get(`${JOBS}/${id}`)).confirmed

describe('where confirmation is required', () => {
  const given = freshService(REQUIRED)

  test('a new subscriber is asked to confirm, until the subscription ends', async () => {
    const id = await subscribe(given, { ttl: 600 })
    const [document, ...others] = await announced(given)
    assert.deepEqual(others, [])
    assert.equal(document.Message_Type, 'SubscriptionConfirmation')
    assert.equal(document['URL-Paths'], `${JOBS}/${id}/confirm`)
    assert.equal(document['URL-Expires'], '2026-03-01T10:10:00')
    assert.equal(document['X-Project-ID'], 'p1')
  })

  test('so is a subscriber of a topic, who can confirm as well', async () => {
    const id = await subscribe(given, {}, '/v2/topics/news/subscriptions')
    const [document] = await announced(given)
    assert.equal(document.Message, 'You have chosen to subscribe to the topic: news')
    assertNoContent(await holderOf(document, given).put(document['URL-Paths'], document.SubscribeBody))
    assert.equal(json(await given.client.get(`/v2/topics/news/subscriptions/${id}`)).confirmed, true)
  })

  test('nobody is told of messages before, and of none that came before', async () => {
    const id = await subscribe(given)
    const [document] = await announced(given)
    await post(given, 1)
    assert.deepEqual(await told(given), [])
    assertNoContent(await holderOf(document, given).put(document['URL-Paths'], document.SubscribeBody))
    assert.equal(await confirmedOf(given, id), true)
    await post(given, 2)
    assert.deepEqual(await told(given), ['2'])
  })

  test('the answer may come twice, and needs a Client-ID', async () => {
    await subscribe(given)
    const [document] = await announced(given)
    const holder = holderOf(document, given)
    const path = document['URL-Paths']
    assert.equal((await holder.with({ 'Client-ID': undefined }).put(path, document.SubscribeBody)).status, 400)
    for (let time = 0; time < 2; time++) {
      const answer = await holder.put(path, document.SubscribeBody)
      assertNoContent(answer)
      assert.equal(answer.headers['location'], path)
    }
    assert.deepEqual(await announced(given), [], 'and nobody is told of it')
  })

  test('the answer is good for this subscription alone, with this signature, and until its end', async () => {
    const id = await subscribe(given, { ttl: 60 })
    const other = await subscribe(given, { subscriber: OTHER_HOOK })
    const document = (await announced(given)).find((one) => one['URL-Paths'].includes(id))
    const holder = holderOf(document, given)
    const hidden = async (client: TestClient, path: string) => {
      const answer = await client.put(path, { confirmed: true })
      assert.deepEqual([answer.status, answer.text], [404, '{"title": "404 Not Found"}'], path)
    }
    await hidden(holder, `${JOBS}/${other}/confirm`)
    await hidden(holder, `${JOBS}/none/confirm`)
    await hidden(holder, `${JOBS}/${id}`)
    await hidden(holder.with({ 'X-Project-Id': 'p2' }), `${JOBS}/${id}/confirm`)
    await hidden(holder.with({ 'URL-Signature': '0'.repeat(64) }), `${JOBS}/${id}/confirm`)
    given.clock.advance(60_000)
    await hidden(holder, `${JOBS}/${id}/confirm`)
    assert.equal(await confirmedOf(given, other), false)
  })

  test('the owner may confirm by a token', async () => {
    const id = await subscribe(given)
    assertNoContent(await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: true }))
    assert.equal(await confirmedOf(given, id), true)
    assert.equal((await given.client.put(`${JOBS}/none/confirm`, { confirmed: true })).status, 404)
    for (const body of [{}, { confirmed: 'yes' }, undefined]) {
      const answer = await given.client.put(`${JOBS}/${id}/confirm`, body)
      assert.equal(json(answer).description, "The 'confirmed' should be boolean.")
    }
  })

  test('who is subscribed again while unconfirmed is asked again, with a later end; who has confirmed is not', async () => {
    const id = await subscribe(given, { ttl: 600 })
    await announced(given)
    given.clock.advance(30_000)
    assert.equal(await subscribe(given, { ttl: 900 }), id)
    const [document] = await announced(given)
    assert.equal(document['URL-Expires'], '2026-03-01T10:15:30')
    assertNoContent(await given.client.send('PATCH', `${JOBS}/${id}`, { subscriber: HOOK }))
    assert.equal((await announced(given)).length, 1, 'and by a change to the same subscriber')
    await holderOf(document, given).put(document['URL-Paths'], document.SubscribeBody)
    assert.equal((await given.client.post(JOBS, { subscriber: HOOK })).status, 409)
    assert.deepEqual(await announced(given), [])
  })

  test('who unsubscribes is told so, hears no more, and can come back', async () => {
    await subscribe(given)
    const [asked] = await announced(given)
    const path = asked['URL-Paths']
    await holderOf(asked, given).put(path, asked.SubscribeBody)
    await post(given, 1)
    assertNoContent(await holderOf(asked, given).put(path, asked.UnsubscribeBody))
    given.clock.advance(1000)
    const [left, ...others] = await announced(given)
    assert.deepEqual(others, [])
    assert.equal(left.Message_Type, 'UnsubscribeConfirmation')
    assert.equal(left['URL-Expires'], '2026-03-01T11:00:00', 'after default_subscription_ttl')
    await post(given, 2)
    assert.deepEqual(await told(given), [])
    assertNoContent(await holderOf(left, given).put(path, left.SubscribeBody))
    await post(given, 3)
    assert.deepEqual(await told(given), ['3'])
  })

  test('another subscriber has not confirmed and is asked; what the one before was to be told is not for it', async () => {
    const id = await subscribe(given, { ttl: 600 })
    await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: true })
    await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: false })
    await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: true })
    assertNoContent(await given.client.send('PATCH', `${JOBS}/${id}`, { subscriber: OTHER_HOOK }))
    assert.equal(await confirmedOf(given, id), false)
    await post(given, 1)
    const documents = await announced(given)
    assert.deepEqual(
      documents.map((document) => [document.Message_Type, document['URL-Expires']]),
      [['SubscriptionConfirmation', '2026-03-01T10:10:00']],
    )
    assert.deepEqual(await told(given), [])
  })

  test('a change of anything else leaves a confirmation alone, and asks nobody', async () => {
    const id = await subscribe(given)
    await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: true })
    await announced(given)
    for (const changes of [{ ttl: 900 }, { options: { a: 1 } }, { subscriber: HOOK }]) {
      assertNoContent(await given.client.send('PATCH', `${JOBS}/${id}`, changes))
    }
    assert.equal(await confirmedOf(given, id), true)
    assert.deepEqual(await announced(given), [])
  })

  test('what is stored of it holds no signature', async () => {
    await subscribe(given)
    const [lease] = await deliver(given)
    const [notification] = lease?.notifications ?? []
    assert.ok(notification?.content.kind === 'announcement')
    assert.doesNotMatch(notification.content.text, /[0-9a-f]{64}/)
  })
})

describe('where it is not required', () => {
  const given = freshService()

  test('subscribers are told at once and asked nothing, whatever they confirm', async () => {
    const id = await subscribe(given)
    await post(given, 1)
    assert.deepEqual(await told(given), ['1'])
    await given.client.put(`${JOBS}/${id}/confirm`, { confirmed: false })
    await given.client.send('PATCH', `${JOBS}/${id}`, { subscriber: OTHER_HOOK })
    assert.deepEqual(await announced(given), [])
    await post(given, 2)
    assert.deepEqual(await told(given), ['2'])
  })
})

describe('with Keystone', () => {
  const token = (id: string) => ({
    expires_at: '2026-03-01T12:00:00Z',
    audit_ids: [id],
    user: { id },
    project: { id: 'p1' },
  })

  async function openWith(t: TestContext, env: Record<string, string>): Promise<InProcessService> {
    const keystone = await startStandInKeystone({ own: token('zaqar'), owner: token('u1') })
    t.after(() => keystone.close())
    const at = { ...KEYSTONE, OS_KEYSTONE_AUTHTOKEN__AUTH_URL: keystone.url }
    const service = await openInProcess({ ...REQUIRED, ...at, ...env })
    t.after(() => service.close())
    return service
  }
  const asOwner = (service: InProcessService) => ({
    clock: service.clock,
    storage: service.storage,
    client: service.client.with({ 'X-Auth-Token': 'owner' }),
  })

  test('the subscriber confirms without a token', async (t) => {
    const service = await openWith(t, { OS_SIGNED_URL__SECRET_KEY: 'a key that only tests know' })
    const owner = asOwner(service)
    const id = await subscribe(owner)
    const [document] = await announced(owner)
    assert.equal((await service.client.put(`${JOBS}/${id}/confirm`, { confirmed: true })).status, 401)
    assertNoContent(await holderOf(document, service).put(document['URL-Paths'], document.SubscribeBody))
    assert.equal(await confirmedOf(owner, id), true)
  })

  test('nobody is asked where there is no key to sign with, which the operator is told', async (t) => {
    const service = await openWith(t, {})
    const owner = asOwner(service)
    const id = await subscribe(owner)
    assert.deepEqual(await deliver(owner), [])
    assert.match(String(service.troubles[0]), /\[signed_url\] secret_key is not set/)
    assertNoContent(await owner.client.put(`${JOBS}/${id}/confirm`, { confirmed: true }))
    await post(owner, 1)
    assert.deepEqual(await told(owner), ['1'], 'the owner may still confirm')
  })
})

test('who had to confirm is told without it once that is not required any more, and the subscription is asked for again', async () => {
  const before = await openInProcess(REQUIRED)
  const after = await openInProcess({}, { openStorage: async () => before.storage })
  const given = { ...after, clock: before.clock }
  await subscribe(before)
  await deliver(before)
  await given.client.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })
  assert.deepEqual(await told(given), [])
  await subscribe(given)
  await given.client.post('/v2/queues/jobs/messages', { messages: [{ body: 2 }] })
  assert.deepEqual(await told(given), ['2'])
  await before.close()
  await after.close()
})
