import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { type Announcement, printAnnouncement } from '../../src/core/rules/announcement.ts'
import { endpointBase } from '../../src/core/rules/public-endpoints.ts'
import { createUrlSigner } from '../../src/core/rules/signature.ts'
import {
  type Confirmation,
  type ConfirmationParts,
  confirmationDocument,
  confirmationOf,
  confirmationPageLink,
} from '../../src/delivery/confirmation.ts'

const NOW = Date.UTC(2026, 10, 23, 8, 9, 9, 500)
const PATH = '/v2/queues/orders/subscriptions/s1/confirm'
const HOOK = 'http://hook.example/'

const subscription = {
  id: 's1',
  source: 'orders',
  subscriber: HOOK,
  ttlSeconds: 3600,
  renewedAt: NOW,
  options: '{}',
  confirmed: false,
  isListening: false,
  health: null,
  vault: null,
}

function announced(announcement: Partial<Announcement> = {}, parts: Partial<ConfirmationParts> = {}) {
  const expiresAt = NOW + 3600_000
  return confirmationOf({
    text: printAnnouncement({ type: 'SubscriptionConfirmation', subscriber: HOOK, expiresAt, ...announcement }),
    queue: { project: 'notif-demo', kind: 'queue', name: 'orders' },
    subscription,
    signer: createUrlSigner(['testsecret']),
    endpoints: { http: null, webSocket: null },
    now: NOW,
    ...parts,
  })
}

function confirmationWith(announcement?: Partial<Announcement>, parts?: Partial<ConfirmationParts>): Confirmation {
  const confirmation = announced(announcement, parts)
  assert.ok(confirmation)
  return confirmation
}

/** As the contract computes it, where SEP is a backslash and an n. (signed-urls.md 3) */
function signed(path: string, project: string, expires: string): string {
  return createHmac('sha256', 'testsecret').update(`${path}\\nPUT\\n${project}\\n${expires}`).digest('hex')
}

describe('the document that a webhook gets', () => {
  test('asks to confirm in the words, the order and the spacing of upstream', () => {
    const endpoints = { http: 'http://zaqar.example:8888', webSocket: 'ws://zaqar.example:9000' }
    assert.equal(
      confirmationDocument(confirmationWith({}, { endpoints })),
      `{"WSGISubscribeURL": "http://zaqar.example:8888${PATH}", ` +
        `"WebSocketSubscribeURL": "ws://zaqar.example:9000${PATH}", ` +
        '"Message_Type": "SubscriptionConfirmation", ' +
        '"Message": "You have chosen to subscribe to the queue: orders", ' +
        `"URL-Signature": "${signed(PATH, 'notif-demo', '2026-11-23T09:09:09')}", "URL-Methods": "PUT", ` +
        `"URL-Paths": "${PATH}", "X-Project-ID": "notif-demo", "URL-Expires": "2026-11-23T09:09:09", ` +
        '"SubscribeBody": {"confirmed": true}, "UnsubscribeBody": {"confirmed": false}, "queue_name": "orders"}',
    )
  })

  test('names no address where none is known', () => {
    const document = confirmationDocument(confirmationWith())
    assert.match(document, /^\{"Message_Type": /)
    const { WSGISubscribeURL, WebSocketSubscribeURL } = JSON.parse(document)
    assert.deepEqual([WSGISubscribeURL, WebSocketSubscribeURL], [undefined, undefined])
  })

  test('tells who has unsubscribed how to come back', () => {
    const { Message_Type, Message } = JSON.parse(
      confirmationDocument(confirmationWith({ type: 'UnsubscribeConfirmation' })),
    )
    assert.equal(Message_Type, 'UnsubscribeConfirmation')
    assert.equal(
      Message,
      'You have unsubscribed successfully to the queue: orders, you can resubscribe it by using confirmed=True.',
    )
  })

  test('is of a topic as it is of a queue', () => {
    const topic = { project: 'p1', kind: 'topic', name: 'news' } as const
    const document = JSON.parse(confirmationDocument(confirmationWith({}, { queue: topic })))
    assert.equal(document.Message, 'You have chosen to subscribe to the topic: news')
    assert.equal(document['URL-Paths'], '/v2/topics/news/subscriptions/s1/confirm')
    assert.equal(document.queue_name, 'news')
  })

  test('is ASCII, whatever the project is called', () => {
    const document = confirmationDocument(
      confirmationWith({}, { queue: { project: 'Zürich 😀"', kind: 'queue', name: 'orders' } }),
    )
    assert.ok(document.includes('"X-Project-ID": "Z\\u00fcrich \\ud83d\\ude00\\""'), document)
    assert.equal(JSON.parse(document)['URL-Signature'], signed(PATH, 'Zürich 😀"', '2026-11-23T09:09:09'))
  })
})

describe('nothing is sent', () => {
  test('that nobody could answer any more', () => {
    assert.ok(announced({ expiresAt: NOW + 1000 }))
    assert.equal(announced({ expiresAt: NOW }), null)
    assert.equal(announced({ expiresAt: NOW + 400 }), null, 'whole seconds are signed')
  })

  test('to a subscriber that another one was to get', () => {
    assert.equal(announced({ subscriber: 'http://hook.example/before' }), null)
  })

  test('for a project whose name could be read as another part of what is signed', () => {
    assert.equal(announced({}, { queue: { project: 'p\\nq', kind: 'queue', name: 'orders' } }), null)
  })
})

test('an endpoint keeps the path before the API, and loses version and slashes at its end', () => {
  for (const [url, base] of [
    ['http://zaqar.example:8888', 'http://zaqar.example:8888'],
    ['http://zaqar.example:8888/', 'http://zaqar.example:8888'],
    ['https://cloud.example/messaging', 'https://cloud.example/messaging'],
    ['https://cloud.example/messaging/v2/', 'https://cloud.example/messaging'],
    ['http://zaqar.example/v1.1', 'http://zaqar.example'],
    ['https://v2.example', 'https://v2.example'],
  ] as const) {
    assert.equal(endpointBase(url), base)
  }
})

test('the link in a mail has all values, and in the part that browsers do not send', () => {
  const queue = { project: 'a&b #1', kind: 'queue', name: 'orders' } as const
  const confirmation = confirmationWith({ type: 'UnsubscribeConfirmation' }, { queue })
  const link = new URL(confirmationPageLink(confirmation, 'https://cloud.example/messaging'))
  assert.equal(link.href.slice(0, link.href.indexOf('#')), 'https://cloud.example/messaging/v2/confirm')
  assert.deepEqual(Object.fromEntries(new URLSearchParams(link.hash.slice(1))), {
    Signature: signed(PATH, 'a&b #1', '2026-11-23T09:09:09'),
    Methods: 'PUT',
    Paths: PATH,
    Project: 'a&b #1',
    Expires: '2026-11-23T09:09:09',
    Type: 'UnsubscribeConfirmation',
  })
})
