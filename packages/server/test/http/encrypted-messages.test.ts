import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { type Message, STALE, type Storage } from '../../src/storage/contract.ts'
import { encryptedStorage } from '../../src/storage/encrypted/encrypted-storage.ts'
import { MessageCipher } from '../../src/storage/encrypted/message-cipher.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { problemsOf } from '../config/memory.ts'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { openInProcess } from '../support/in-process.ts'
import { PROJECT } from '../support/test-client.ts'

const ENCRYPTING = { _enable_encrypt_messages: true }
const KEY = { OS_TRANSPORT__MESSAGE_ENCRYPTION_KEY: 'the key of today' }

/** What the store holds, as somebody who has got hold of it would read it. */
async function stored(storage: Storage, name: string, now: number): Promise<Message[]> {
  const queue = await storage.queues.get({ key: { project: PROJECT, kind: 'queue', name }, now })
  assert.ok(queue)
  const page = await storage.messages.list({
    queue,
    after: null,
    limit: 20,
    hideClientId: null,
    includeClaimed: true,
    includeDelayed: true,
    now,
  })
  assert.ok(page !== STALE)
  return page.messages
}

describe('a queue that encrypts', () => {
  const given = freshService(KEY)
  const body = { secret: 'häß🙂', n: 1.0, looks: 'enc:1:00:AAAA' }

  test('pushes its messages in the clear, those also that are taken away at once', async () => {
    await given.client.put('/v2/queues/q', ENCRYPTING)
    await given.socket.ask('subscription_create', { queue_name: 'q' })
    await Promise.all([given.post('q', { body }), given.client.delete('/v2/queues/q/messages?pop=1')])
    await given.post('q', { body: 'later' })
    const pushed = await given.socket.pushes(2)
    assert.deepEqual(
      pushed.map((message) => message.body),
      [body, 'later'],
    )
  })

  test('shows its messages on every read, and keeps ciphertext', async () => {
    await given.client.put('/v2/queues/q', ENCRYPTING)
    const [id] = await given.post('q', { body }, { body: 'enc:1:00:AAAA' })
    const kept = await stored(given.storage, 'q', given.clock.now())
    for (const message of kept) {
      assert.match(message.body, /^enc:1:[0-9a-f]{12}:/)
      assert.doesNotMatch(Buffer.from(message.body.split(':')[3] ?? '', 'base64').toString('latin1'), /secret|enc:/)
    }
    assert.notEqual(kept[0]?.body, kept[1]?.body)

    const both = (messages: { body: unknown }[]) =>
      assert.deepEqual(
        messages.map((message) => message.body),
        [body, 'enc:1:00:AAAA'],
      )
    both(json(await given.client.get('/v2/queues/q/messages?echo=true')).messages)
    assert.deepEqual(json(await given.client.get(`/v2/queues/q/messages/${id}`)).body, body)
    assert.deepEqual(json(await given.client.get(`/v2/queues/q/messages?ids=${id}`)).messages[0].body, body)
    assert.equal((await given.client.get('/v2/queues/q/stats')).status, 200)
    const claim = await given.client.post('/v2/queues/q/claims', { ttl: 60, grace: 60 })
    both(json(claim).messages)
    const location = claim.headers['location'] as string
    both(json(await given.client.get(location)).messages)
    await given.client.delete(location)
    both(json(await given.client.delete('/v2/queues/q/messages?pop=2')).messages)
  })

  test('may begin and end to encrypt while it holds messages', async () => {
    await given.client.put('/v2/queues/q')
    await given.post('q', { body: 'plain' })
    await given.client.patch('/v2/queues/q', [{ op: 'add', path: '/metadata/_enable_encrypt_messages', value: true }])
    await given.post('q', { body: 'sealed' })
    await given.client.patch('/v2/queues/q', [{ op: 'remove', path: '/metadata/_enable_encrypt_messages' }])
    await given.post('q', { body: 'plain again' })
    const kept = await stored(given.storage, 'q', given.clock.now())
    assert.deepEqual(
      kept.map((message) => message.body.startsWith('enc:')),
      [false, true, false],
    )
    const { messages } = json(await given.client.get('/v2/queues/q/messages?echo=true'))
    assert.deepEqual(
      messages.map((message: { body: unknown }) => message.body),
      ['plain', 'sealed', 'plain again'],
    )
  })

  test('has messages that still open in the dead letter queue and after their return', async () => {
    await given.client.put('/v2/queues/dead')
    await given.client.put('/v2/queues/q', { ...ENCRYPTING, _dead_letter_queue: 'dead', _max_claim_count: 1 })
    await given.post('q', { body })
    await given.client.post('/v2/queues/q/claims', { ttl: 60, grace: 60 })
    given.pass(61)
    assert.equal((await given.client.post('/v2/queues/q/claims', { ttl: 60, grace: 60 })).status, 204)
    const dead = json(await given.client.get('/v2/queues/dead/messages?echo=true')).messages
    assert.deepEqual(dead[0].body, body)
    assert.match((await stored(given.storage, 'dead', given.clock.now()))[0]?.body ?? '', /^enc:/)
  })

  test('counts what was posted against its limit of size, not the ciphertext', async () => {
    const text = JSON.stringify({ messages: [{ body: 'x'.repeat(200) }] })
    await given.client.put('/v2/queues/q', { ...ENCRYPTING, _max_messages_post_size: text.length })
    assert.equal((await given.client.post('/v2/queues/q/messages', text)).status, 201)
  })
})

describe('a server without a key', () => {
  const given = freshService()

  test('refuses to let a queue encrypt, and says what is missing', async () => {
    const option = 'message_encryption_key'
    assertError(await given.client.put('/v2/queues/q', ENCRYPTING), 400, 'Invalid API request', option)
    await given.client.put('/v2/queues/q')
    const change = [{ op: 'add', path: '/metadata/_enable_encrypt_messages', value: true }]
    assertError(await given.client.patch('/v2/queues/q', change), 400, 'Invalid request body', option)
  })

  test('is not given the key that everybody knows', () => {
    const [problem] = problemsOf({ env: { OS_TRANSPORT__MESSAGE_ENCRYPTION_KEY: 'AES256' } })
    assert.match(problem ?? '', /known to everybody/)
  })
})

describe('the cipher', () => {
  const old = new MessageCipher('old', [])
  // 10 bytes fill whole groups of base64, so that every character counts.
  const text = '"12345678"'
  const sealed = old.seal(text, PROJECT)
  const unavailable = { name: 'StorageUnavailable' }

  test('opens what an earlier key has sealed, also without a key of today', () => {
    assert.equal(new MessageCipher('new', ['older', 'old']).open(sealed, PROJECT), text)
    assert.equal(new MessageCipher(null, ['old']).open(sealed, PROJECT), text)
    assert.throws(() => new MessageCipher('new', []).open(sealed, PROJECT), unavailable)
    assert.throws(() => new MessageCipher(null, ['old']).seal(text, PROJECT), unavailable)
  })

  test('never seals the same text alike', () => {
    assert.notEqual(old.seal(text, PROJECT), sealed)
  })

  test('does not open in another project', () => {
    assert.throws(() => old.open(sealed, 'p2'), unavailable)
  })

  test('does not open what was changed in any place', () => {
    for (let at = 'enc:'.length; at < sealed.length; at++) {
      const other = sealed[at] === 'A' ? 'B' : 'A'
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1)
      assert.throws(() => old.open(changed, PROJECT), unavailable, `at ${at}`)
    }
    for (let end = 'enc:'.length; end < sealed.length; end++) {
      assert.throws(() => old.open(sealed.slice(0, end), PROJECT), unavailable, `up to ${end}`)
    }
  })
})

describe('the digest of a POST that may be repeated', () => {
  const OURS = new MessageCipher('new', ['old'])
  /** On another node, before the change of keys and in its middle. */
  const THEIRS = new MessageCipher('old', [])
  const MIDDLE = new MessageCipher('old', ['new'])
  const DIGEST = createHash('sha256').update('{"messages": [{"body": "a guess"}]}').digest('base64')

  /** Posts through the cipher; answers the id, or `conflict`, and notes what the store is told. */
  async function given() {
    const clock = new ManualClock()
    const storage = await openSqlite({ path: ':memory:', clock })
    const told: string[] = []
    const messages: Storage['messages'] = {
      ...storage.messages,
      append(p) {
        told.push(p.idempotency?.digest ?? '')
        return storage.messages.append(p)
      },
    }
    const post = async (cipher: MessageCipher, { project = PROJECT, key = 'k', digest = DIGEST } = {}) => {
      const now = clock.now()
      const name = { project, kind: 'queue', name: 'q' } as const
      await storage.queues.create({ key: name, metadata: JSON.stringify(ENCRYPTING), now })
      const queue = await storage.queues.get({ key: name, now })
      assert.ok(queue)
      const outcome = await encryptedStorage({ ...storage, messages }, cipher).messages.append({
        queue: { ...queue, isEncrypted: true },
        clientId: '',
        messages: [{ body: '1', ttlSeconds: 60, delaySeconds: 0 }],
        idempotency: { key, digest, expiresAt: now + 60_000 },
        now,
      })
      assert.ok(outcome !== STALE)
      return outcome === 'conflict' ? outcome : outcome.ids[0]
    }
    return { storage, told, post }
  }

  test('is stored keyed, another one for each key and project', async () => {
    const { storage, told, post } = await given()
    await post(OURS)
    await post(OURS, { key: 'l' })
    await post(OURS, { project: 'p2' })
    assert.equal(new Set([DIGEST, ...told]).size, 4)
    await storage.close()
  })

  test('is known before, in and after a change of keys, on all nodes that have both', async () => {
    const { storage, post } = await given()
    const first = await post(THEIRS)
    assert.notEqual(first, 'conflict')
    for (const cipher of [THEIRS, MIDDLE, OURS]) assert.equal(await post(cipher), first)
    const second = await post(OURS, { key: 'l' })
    assert.equal(await post(MIDDLE, { key: 'l' }), second)
    const other = createHash('sha256').update('other').digest('base64')
    for (const cipher of [OURS, MIDDLE]) assert.equal(await post(cipher, { digest: other }), 'conflict')
    await storage.close()
  })

  test('is bare where there is no key, and known after the key has gone', () => {
    assert.deepEqual(new MessageCipher(null, []).digests(DIGEST, []), [DIGEST])
    assert.deepEqual(new MessageCipher(null, ['old']).digests(DIGEST, []), [DIGEST, ...THEIRS.digests(DIGEST, [])])
  })
})

test('a message whose key is gone is answered with 503 and stays, also where it would be popped', async (t) => {
  const { client, storage, clock, troubles, close } = await openInProcess(KEY)
  t.after(close)
  await client.put('/v2/queues/q', ENCRYPTING)
  const now = clock.now()
  const queue = await storage.queues.get({ key: { project: PROJECT, kind: 'queue', name: 'q' }, now })
  assert.ok(queue)
  const body = new MessageCipher('a lost key', []).seal('"text"', PROJECT)
  const messages = [{ body, ttlSeconds: 600, delaySeconds: 0 }]
  await storage.messages.append({ queue, clientId: '', messages, now })
  for (const answer of [
    await client.get('/v2/queues/q/messages?echo=true'),
    await client.delete('/v2/queues/q/messages?pop=1'),
  ]) {
    assertError(answer, 503, 'Service temporarily unavailable')
    assert.doesNotMatch(answer.text, /enc:/)
  }
  assert.equal((await stored(storage, 'q', now)).length, 1)
  assert.equal(troubles.length, 2)
})
