import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from '../../../src/core/listing.ts'
import type { Push } from '../../../src/core/receiver.ts'
import { printJson } from '../../../src/model/json.ts'
import type { Message } from '../../../src/model/model.ts'
import type { Encoding } from '../../../src/wire/websocket/encodings.ts'
import { decodeMsgpack } from '../../../src/wire/websocket/msgpack-reader.ts'
import { claimFrame, pushFrames } from '../../../src/wire/websocket/push-frames.ts'

const NOW = Date.UTC(2026, 2, 1)

const plain: Push = { id: 's1', key: { project: 'p', kind: 'queue', name: 'kit' }, withIds: false }
const withIds: Push = { ...plain, withIds: true }

function message(id: string, body: string, claimId: string | null = null): Message {
  return {
    id,
    body,
    clientId: 'c',
    ttlSeconds: 300,
    createdAt: NOW - 2500,
    claimId,
    claimCount: 0,
    marker: `after ${id}`,
  }
}

function pageOf(...messages: Message[]): Page {
  return { now: NOW, includeDelayed: false, messages, marker: 'end' }
}

function texts(push: Push, page: Page, encoding: Encoding): string[] {
  return pushFrames(push, page, encoding).map((frame) =>
    encoding === 'json' ? String(frame) : printJson(decodeMsgpack(frame).document),
  )
}

test('a push is the document of a notification, and shows id and marker where that is wanted', () => {
  const page = pageOf(message('m1', '{"é": 1.0}'), message('m2', 'null'))
  const first = '{"ttl": 300, "body": {"\\u00e9": 1.0}, "Message_Type": "Notification", "queue_name": "kit"'
  const second = '{"ttl": 300, "body": null, "Message_Type": "Notification", "queue_name": "kit"'
  assert.deepEqual(texts(plain, page, 'json'), [`${first}}`, `${second}}`])
  assert.deepEqual(texts(withIds, page, 'json'), [
    `${first}, "id": "m1", "marker": "after m1"}`,
    `${second}, "id": "m2", "marker": "after m2"}`,
  ])
  assert.deepEqual(texts(plain, page, 'msgpack'), [`${first.replace('\\u00e9', 'é')}}`, `${second}}`])
})

test('whoever gets a page in the same form gets the same frames', () => {
  const page = pageOf(message('m1', '1'))
  assert.equal(pushFrames(plain, page, 'json'), pushFrames({ ...plain, id: 's2' }, page, 'json'))
  const forms = [pushFrames(plain, page, 'json'), pushFrames(withIds, page, 'json'), pushFrames(plain, page, 'msgpack')]
  assert.equal(new Set(forms).size, 3)
})

test('a message that is in a page less some others has the same frame', () => {
  const [first, second] = [message('m1', '1'), message('m2', '2')]
  assert.equal(pushFrames(plain, pageOf(first, second), 'json')[1], pushFrames(plain, pageOf(second), 'json')[0])
})

test('a claim shows its messages as an answer does', () => {
  const messages = [message('m1', '{"a": 1}', 'c1')]
  const claim = { id: 'c1', ttlSeconds: 600, renewedAt: NOW, messages }
  const text =
    '{"Message_Type": "Claim", "queue_name": "kit", "claim_id": "c1", "ttl": 600, ' +
    '"messages": [{"id": "m1", "claim_id": "c1", "ttl": 300, "age": 2, "body": {"a": 1}}]}'
  assert.equal(String(claimFrame(plain, claim, NOW, 'json')), text)
  assert.equal(printJson(decodeMsgpack(claimFrame(plain, claim, NOW, 'msgpack')).document), text)
})
