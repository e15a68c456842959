/** The forms of what upstream's actions answer. (contract websocket.md 6.1 to 6.4) */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { SocketClient } from '../support/socket-client.ts'
import { type SocketService, socketServices } from '../support/socket-service.ts'

const open = socketServices()

const OTHER_CLIENT_ID = '30387f00-39a0-4d8d-aaaa-2222222222bb'

let service: SocketService
let socket: SocketClient

beforeEach(async () => {
  service = await open()
  socket = await service.connect()
})

/** What is answered to the action on the queue `kit`. */
function ask(action: string, body: object = {}, headers: object = {}) {
  return socket.ask(action, { queue_name: 'kit', ...body }, headers)
}

async function post(...messages: object[]): Promise<string[]> {
  const { status, body } = await ask('message_post', { messages })
  assert.equal(status, 201, JSON.stringify(body))
  return body.message_ids
}

function pass(seconds: number): void {
  service.clock.advance(seconds * 1000)
}

describe('queues', () => {
  test('are created with a sentence, whether they are new or not', async () => {
    const metadata = { _default_message_ttl: 600, b: 1, a: [1.5] }
    assert.deepEqual(await ask('queue_create', { metadata }), { status: 201, body: 'Queue kit created.' })
    assert.deepEqual(await ask('queue_create', { metadata: { c: 1 } }), { status: 204, body: 'Queue kit created.' })
    assert.deepEqual(await ask('queue_get'), { status: 200, body: metadata })
  })

  test('are shown as empty where they do not exist', async () => {
    assert.deepEqual(await ask('queue_get'), { status: 200, body: {} })
  })

  test('are listed by name, with the metadata that was set where it is wanted', async () => {
    for (const queue_name of ['c', 'a', 'b'])
      await socket.ask('queue_create', { queue_name, metadata: { of: queue_name } })
    assert.deepEqual(await socket.ask('queue_list', { limit: 2 }), {
      status: 200,
      body: { queues: [{ name: 'a' }, { name: 'b' }] },
    })
    assert.deepEqual(await socket.ask('queue_list', { marker: 'b', detailed: true }), {
      status: 200,
      body: { queues: [{ name: 'c', metadata: { of: 'c' } }] },
    })
  })

  test('are removed with a sentence, also where they do not exist', async () => {
    await ask('queue_create')
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await ask('queue_delete'), { status: 204, body: 'Queue kit removed.' })
    }
    assert.deepEqual(await socket.ask('queue_list'), { status: 200, body: { queues: [] } })
  })

  test('have stats with the newest and the oldest message', async () => {
    const zeros = { claimed: 0, free: 0, total: 0 }
    assert.deepEqual(await ask('queue_get_stats'), { status: 404, body: { messages: zeros } })
    await ask('queue_create')
    assert.deepEqual(await ask('queue_get_stats'), { status: 200, body: { messages: zeros } })
    const [oldest] = await post({ body: { n: 1.0 }, ttl: 300 })
    const { body: claim } = await ask('claim_create')
    pass(5)
    const [newest] = await post({ body: 'two', ttl: 400 })
    assert.deepEqual(await ask('queue_get_stats'), {
      status: 200,
      body: {
        messages: {
          claimed: 1,
          free: 1,
          total: 2,
          newest: {
            id: newest,
            age: 0,
            ttl: 400,
            body: 'two',
            claim_id: null,
            claim_count: 0,
            created: '2026-03-01T10:00:05Z',
          },
          oldest: {
            id: oldest,
            age: 5,
            ttl: 300,
            body: { n: 1 },
            claim_id: claim.claim_id,
            claim_count: 1,
            created: '2026-03-01T10:00:00Z',
          },
        },
      },
    })
  })

  test('are purged of what is named', async () => {
    const purged = { status: 204, body: {} }
    assert.deepEqual(await ask('queue_purge'), purged)
    await post({ body: 1 })
    await ask('subscription_create', { subscriber: 'http://a.example' })
    const count = async () => {
      const { body: stats } = await ask('queue_get_stats')
      const { body } = await ask('subscription_list')
      return [stats.messages.total, body.subscriptions.length]
    }
    for (const resource_types of [[], ['claims', 7]])
      assert.deepEqual(await ask('queue_purge', { resource_types }), purged)
    assert.deepEqual(await count(), [1, 1])
    assert.deepEqual(await ask('queue_purge', { resource_types: ['messages'] }), purged)
    assert.deepEqual(await count(), [0, 1])
    assert.deepEqual(await ask('queue_purge'), purged)
    assert.deepEqual(await count(), [0, 0])
  })
})

describe('messages', () => {
  test('are listed without what the client itself has posted, unless there is an echo', async () => {
    const [id] = await post({ body: { a: 1 }, ttl: 300 })
    assert.deepEqual(await ask('message_list'), { status: 200, body: { messages: [] } })
    const listed = { status: 200, body: { messages: [{ id, claim_id: null, ttl: 300, age: 0, body: { a: 1 } }] } }
    assert.deepEqual(await ask('message_list', { echo: true }), listed)
    assert.deepEqual(await ask('message_list', {}, { 'Client-ID': OTHER_CLIENT_ID }), listed)
  })

  test('go on behind an id, or a marker where markers are wanted', async () => {
    const ids = await post({ body: 1 }, { body: 2 }, { body: 3 })
    const bodies = async (how: object) => {
      const { body } = await ask('message_list', { echo: true, ...how })
      return body.messages.map((message: { body: number }) => message.body)
    }
    assert.deepEqual(await bodies({ limit: 2 }), [1, 2])
    assert.deepEqual(await bodies({ marker: ids[0] }), [2, 3])
    const { body } = await ask('message_list', { echo: true, limit: 2, with_markers: true })
    assert.deepEqual(await bodies({ marker: body.messages[1].marker }), [3])
  })

  test('of a queue that does not exist are not found', async () => {
    assert.deepEqual(await ask('message_list'), {
      status: 404,
      body: { exception: 'Queue kit does not exist for project p', error: null },
    })
    assert.deepEqual(await ask('message_get_many', { message_ids: ['x'] }), { status: 200, body: { messages: [] } })
  })

  test('are delayed as their queue says, and shown before where that is wanted', async () => {
    await ask('queue_create', { metadata: { _default_message_delay: 10 } })
    await post({ body: 'soon' }, { body: 'later', delay: 20 })
    const count = async (how = {}) => (await ask('message_list', { echo: true, ...how })).body.messages.length
    assert.deepEqual([await count(), await count({ include_delayed: true })], [0, 2])
    pass(10)
    assert.equal(await count(), 1)
  })

  test('are got one by one, and by their ids', async () => {
    const [id] = await post({ body: null, ttl: 100 })
    const shown = { id, claim_id: null, ttl: 100, age: 0, body: null }
    assert.deepEqual(await ask('message_get', { message_id: id }), { status: 200, body: { messages: shown } })
    const message_ids = [id, 'nothing']
    assert.deepEqual(await ask('message_get_many', { message_ids }), { status: 200, body: { messages: [shown] } })
    assert.deepEqual(await ask('message_get', { message_id: 'nothing' }), {
      status: 404,
      body: { exception: 'Message nothing does not exist in queue kit for project p', error: null },
    })
  })

  test('keep their numbers as they are spelt', async () => {
    const headers = { 'Client-ID': OTHER_CLIENT_ID, 'X-Project-ID': 'p' }
    const frame = (action: string, rest: string) =>
      `{"action": "${action}", "headers": ${JSON.stringify(headers)}, "body": {"queue_name": "kit", ${rest}}}`
    const raw = (text: string) =>
      new Promise<string>((resolve) => {
        socket.ws.once('message', (data) => resolve(String(data)))
        socket.ws.send(text)
      })
    const body = '{"10": 1.0, "9": 1e3, "x": 9007199254740993}'
    await raw(frame('message_post', `"messages": [{"body": ${body}, "ttl": 300}]`))
    const answer = await raw(frame('message_list', '"echo": true'))
    assert.ok(answer.includes(`"ttl": 300, "age": 0, "body": ${body}}]}, "headers": {"status": 200}}`), answer)
    socket.unread.length = 0
  })

  test('are deleted without a word, also where they do not exist', async () => {
    const [first, second, third] = await post({ body: 1 }, { body: 2 }, { body: 3 })
    const gone = { status: 204, body: {} }
    assert.deepEqual(await ask('message_delete', { message_id: first }), gone)
    assert.deepEqual(await ask('message_delete', { message_id: first }), gone)
    assert.deepEqual(await ask('message_delete_many', { message_ids: [second, 'nothing'] }), gone)
    const { body } = await ask('message_list', { echo: true })
    assert.deepEqual(
      body.messages.map(({ id }: { id: string }) => id),
      [third],
    )
  })

  test('that are popped are shown as they are stored', async () => {
    const [id] = await post({ body: { a: 1 }, ttl: 300 }, { body: 2 })
    pass(3)
    assert.deepEqual(await ask('message_delete_many', { pop: 1 }), {
      status: 200,
      body: { messages: [{ id, age: 3, ttl: 300, body: { a: 1 }, claim_id: null, claim_count: 0 }] },
    })
  })

  test('that are claimed go with their claim only', async () => {
    const [id, free] = await post({ body: 1 }, { body: 2 })
    const { body: claim } = await ask('claim_create', { limit: 1 })
    const refused = async (body: object, status: number, error: string) => {
      assert.deepEqual(await ask('message_delete', body), { status, body: { exception: error, error } })
    }
    await refused({ message_id: id }, 403, 'This message is claimed; it cannot be deleted without a valid claim ID.')
    await refused({ message_id: id, claim_id: 'x' }, 400, 'The specified claim does not exist or has expired.')
    const claim_id = claim.claim_id
    await refused(
      { message_id: free, claim_id },
      400,
      'A claim was specified, but the message is not currently claimed.',
    )
    assert.deepEqual(await ask('message_delete', { message_id: id, claim_id }), { status: 204, body: {} })
  })

  test('are posted once for an idempotency key', async () => {
    const messages = [{ body: { a: 1.5 }, ttl: 300 }]
    const first = await ask('message_post', { messages, idempotency_key: 'k1' })
    assert.deepEqual(await ask('message_post', { messages, idempotency_key: 'k1' }), first)
    const other = await ask('message_post', { messages: [{ body: 2 }], idempotency_key: 'k1' })
    assert.equal(other.status, 409)
  })

  test('of topics are posted and listed by the name of the topic', async () => {
    await socket.ask('topic_create', { topic_name: 'news' })
    const { status } = await socket.ask('message_post', { topic_name: 'news', messages: [{ body: 1 }] })
    assert.equal(status, 201)
    const { body } = await socket.ask('message_list', { topic_name: 'news', echo: true })
    assert.equal(body.messages.length, 1)
    assert.deepEqual(await socket.ask('queue_list'), { status: 200, body: { queues: [] } })
  })

  const refused: [what: string, action: string, body: object, exception: string][] = [
    ['none', 'message_post', { messages: [] }, 'No messages to enqueue.'],
    ['one without a body', 'message_post', { messages: [{ ttl: 60 }] }, 'Bad request. Missing "body" field.'],
    [
      'a ttl that is a text',
      'message_post',
      { messages: [{ body: 1, ttl: '60' }] },
      'Bad request. The value of the "ttl" field must be a int.',
    ],
    [
      'a ttl that is true',
      'message_post',
      { messages: [{ body: 1, ttl: true }] },
      'The TTL for a message may not exceed 1209600 seconds, and must be at least 60 seconds long.',
    ],
    ['what is no object', 'message_post', { messages: ['hi'] }, 'Bad request. Each element must be a JSON object.'],
    ['a page of none', 'message_list', { limit: 0 }, 'Limit must be at least 1 and no greater than 20.'],
    [
      'no id',
      'message_get_many',
      { message_ids: [] },
      'ids parameter should have at least 1 and not greater than 20 values.',
    ],
    [
      'neither ids nor pop',
      'message_delete_many',
      {},
      'The request should have either "ids" or "pop" parameter in the request, to be able to delete.',
    ],
    [
      'both ids and pop',
      'message_delete_many',
      { message_ids: ['a'], pop: 1 },
      'pop and id params cannot be present together in the delete request.',
    ],
    ['21 to pop', 'message_delete_many', { pop: 21 }, 'Pop value must be at least 1 and may not be greater than 20.'],
    [
      'a queue that cannot be',
      'message_list',
      { queue_name: 'a/../b' },
      'The format of the submitted queue name or project id is not valid.',
    ],
  ]
  for (const [what, action, body, exception] of refused) {
    test(`${what}: ${action} refuses it`, async () => {
      assert.deepEqual(await ask(action, body), { status: 400, body: { exception, error: null } })
    })
  }

  test('are neither posted nor listed for a client with a bad id; other actions take any', async () => {
    const headers = { 'Client-ID': 'me' }
    const refusal = { status: 400, body: { exception: 'badly formed hexadecimal UUID string', error: null } }
    assert.deepEqual(await ask('message_post', { messages: [{ body: 1 }] }, headers), refusal)
    assert.deepEqual(await ask('message_list', {}, headers), refusal)
    assert.equal((await ask('queue_create', {}, headers)).status, 201)
    assert.equal((await ask('message_list', {}, { 'Client-ID': `{urn:uuid:${OTHER_CLIENT_ID}}` })).status, 200)
  })

  test('are refused where they are too large, as over HTTP', async () => {
    const { status, body } = await ask('message_post', { messages: [{ body: 'x'.repeat(262_144) }] })
    assert.equal(status, 400)
    assert.match(body.exception, /^Message collection size is too large\. Max size 262144/)
  })
})

describe('claims', () => {
  test('are made, shown, renewed and released', async () => {
    const [id] = await post({ body: { a: 1 }, ttl: 300 })
    const { status, body } = await ask('claim_create', { ttl: 600, grace: 60, limit: 1 })
    const { claim_id, messages } = body
    const message = { id, claim_id, ttl: 660, age: 0, body: { a: 1 } }
    assert.equal(status, 201)
    assert.deepEqual(messages, [message])
    pass(5)
    assert.deepEqual(await ask('claim_get', { claim_id }), {
      status: 200,
      body: { age: 5, ttl: 600, messages: [{ ...message, age: 5 }] },
    })
    const { status: listed, body: page } = await ask('claim_list', { limit: 1 })
    assert.deepEqual([listed, page.claims.length, page.claims[0].id, page.claims[0].messages], [200, 1, claim_id, 1])
    const updated = { status: 204, body: `Claim ${claim_id} updated.` }
    assert.deepEqual(await ask('claim_update', { claim_id, ttl: 900 }), updated)
    assert.equal((await ask('claim_get', { claim_id })).body.ttl, 900)
    assert.deepEqual(await ask('claim_update', { claim_id }), updated)
    assert.equal((await ask('claim_get', { claim_id })).body.ttl, 300)
    const deleted = { status: 204, body: `Claim ${claim_id} deleted.` }
    assert.deepEqual(await ask('claim_delete', { claim_id }), deleted)
    assert.deepEqual(await ask('claim_delete', { claim_id }), deleted)
    for (const action of ['claim_get', 'claim_update']) {
      assert.deepEqual(await ask(action, { claim_id }), {
        status: 404,
        body: {
          exception: `Claim ${claim_id} does not exist for queue kit of project p`,
          error: `Claim ${claim_id} does not exist.`,
        },
      })
    }
  })

  test('of nothing are none', async () => {
    assert.deepEqual(await ask('claim_create'), { status: 204, body: { claim_id: null } })
  })

  test('finish what was claimed before', async () => {
    await post({ body: 1 }, { body: 2 })
    const { body: first } = await ask('claim_create', { limit: 1 })
    const { claim_id } = first
    const finished = [{ id: first.messages[0].id, claim_id }]
    const { status, body: second } = await ask('claim_create', { delete: finished })
    assert.deepEqual([status, second.messages.length, second.gone], [201, 1, []])
    assert.deepEqual(await ask('claim_create', { delete: finished }), {
      status: 200,
      body: { claim_id: null, messages: [], gone: [finished[0]?.id] },
    })
  })

  test('wait for something to come, while other requests are answered', async () => {
    socket.send('claim_create', { queue_name: 'kit', wait: 10 })
    await post({ body: 'here' })
    const answer = await socket.next()
    assert.equal(answer.request.action, 'claim_create')
    assert.equal(answer.body.messages[0].body, 'here')
  })
})

describe('subscriptions', () => {
  const subscriber = 'http://a.example/hook'

  test('of others are made, shown, listed and removed', async () => {
    const { status, body } = await ask('subscription_create', { subscriber, ttl: 600, options: { a: 1 } })
    const { subscription_id: id } = body
    assert.deepEqual([status, body], [201, { subscription_id: id, message: 'Subscription kit created.' }])
    const shown = { id, source: 'kit', subscriber, ttl: 600, age: 0, options: { a: 1 }, confirmed: false }
    assert.deepEqual(await ask('subscription_get', { subscription_id: id }), { status: 200, body: shown })
    assert.deepEqual(await ask('subscription_list'), { status: 200, body: { subscriptions: [shown] } })
    const removed = { status: 204, body: `Subscription ${id} removed.` }
    assert.deepEqual(await ask('subscription_delete', { subscription_id: id }), removed)
    assert.deepEqual(await ask('subscription_delete', { subscription_id: id }), removed)
    assert.deepEqual(await ask('subscription_get', { subscription_id: id }), {
      status: 404,
      body: {
        exception: `Subscription ${id} does not exist`,
        error: `Subscription ${id} for queue kit does not exist.`,
      },
    })
    assert.deepEqual(await ask('subscription_list'), { status: 200, body: { subscriptions: [] } })
  })

  test('are there once for each subscriber, and for each connection', async () => {
    for (const body of [{ subscriber }, {}]) {
      assert.equal((await ask('subscription_create', body)).status, 201)
      assert.deepEqual(await ask('subscription_create', body), { status: 409, body: 'Subscription kit not created.' })
    }
    const others = await service.connect()
    assert.equal((await others.ask('subscription_create', { queue_name: 'kit' })).status, 201)
  })

  test('of the connection say where they begin where markers are wanted', async () => {
    const options = { _with_ids: true }
    const { body } = await ask('subscription_create', { options })
    assert.deepEqual(Object.keys(body), ['subscription_id', 'message', 'marker'])
    const { body: without } = await socket.ask('subscription_create', { queue_name: 'other', subscriber: '' })
    assert.deepEqual(Object.keys(without), ['subscription_id', 'message'])
    const [id] = await post({ body: 1 })
    const { marker, ...push } = await socket.next()
    assert.deepEqual(push, { ttl: 3600, body: 1, Message_Type: 'Notification', queue_name: 'kit', id })
    const { body: behind } = await ask('message_list', { echo: true, marker: body.marker, with_markers: true })
    assert.deepEqual([behind.messages[0].id, behind.messages[0].marker], [id, marker])
  })

  const refused: [what: string, body: object, exception: RegExp][] = [
    ['a scheme that nobody delivers to', { subscriber: 'ftp://a.example' }, /must be supported in the list/],
    ['a marker for somebody else', { subscriber, marker: 'm' }, /"marker" is for subscriptions without a subscriber/],
    ['an unknown mode', { mode: 'fast' }, /"mode" must be "claim"/],
    ['terms of claims without claims', { claim_ttl: 60 }, /"claim_ttl" is for the mode "claim"/],
    ['a ttl that is too short', { ttl: 1 }, /The TTL for a subscription must be at least 60 seconds long/],
  ]
  for (const [what, body, exception] of refused) {
    test(`${what} is refused`, async () => {
      const answer = await ask('subscription_create', body)
      assert.deepEqual([answer.status, answer.body.error], [400, null])
      assert.match(answer.body.exception, exception)
    })
  }
})
