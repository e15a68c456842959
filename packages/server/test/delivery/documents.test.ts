import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { cloudEvent, cloudEventHeaders, messageDocument } from '../../src/delivery/documents.ts'
import { asciiJson } from '../../src/model/ascii-json.ts'
import { parseJson, printJson } from '../../src/model/json.ts'
import type { NotifiedMessage, Queue } from '../../src/model/model.ts'

const QUEUE: Queue = { project: 'p1', kind: 'queue', name: 'q', metadata: '{}', version: '1' }

function message(body: string, changes: Partial<NotifiedMessage> = {}): NotifiedMessage {
  const createdAt = Date.UTC(2026, 6, 1, 12, 0, 0, 7)
  return { id: 'm1', body, clientId: 'c', ttlSeconds: 300, delaySeconds: 0, createdAt, ...changes }
}

describe('the document of a message', () => {
  test('is that of upstream, byte for byte', () => {
    assert.equal(
      messageDocument(message('{"n": 1}'), QUEUE),
      '{"ttl": 300, "body": {"n": 1}, "Message_Type": "Notification", "queue_name": "q"}',
    )
  })

  test('has all that is not ASCII escaped, as Python does', () => {
    const body = printJson('\u00e9 \u20ac \u{1f600} \ud800 \u007f \u2028 / \t "')
    assert.equal(
      messageDocument(message(body), QUEUE),
      '{"ttl": 300, "body": "\\u00e9 \\u20ac \\ud83d\\ude00 \\ud800 \\u007f \\u2028 / \\t \\"", ' +
        '"Message_Type": "Notification", "queue_name": "q"}',
    )
  })

  test('keeps how the sender wrote numbers and ordered keys', () => {
    const body = '{"b": 1.0, "1": 9007199254740993, "a": 1e400}'
    assert.ok(messageDocument(message(body), QUEUE).includes(`"body": ${body}, "Message_Type"`))
  })

  test('says the delay where the queue has a default for it', () => {
    const delaying = { ...QUEUE, metadata: '{"a": 1, "_default_message_delay": 5}' }
    const document = (delaySeconds: number, queue: Queue) => messageDocument(message('1', { delaySeconds }), queue)
    assert.ok(document(7, delaying).startsWith('{"ttl": 300, "body": 1, "delay": 7, "Message_Type": '))
    assert.ok(document(0, delaying).includes('"delay": 0, '))
    for (const metadata of ['{}', '{"_default_message_delay": 0}', '{"_default_message_delay": null}']) {
      assert.ok(!document(0, { ...QUEUE, metadata }).includes('delay'), metadata)
    }
  })

  test('reads back as what was posted', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (posted) => {
        const body = printJson(JSON.parse(posted))
        for (const [document, key] of [
          [messageDocument(message(body), QUEUE), 'body'],
          [cloudEvent(message(body), QUEUE), 'data'],
        ] as const) {
          assert.match(document, /^[\x20-\x7e]*$/)
          assert.deepEqual(JSON.parse(document)[key], JSON.parse(body))
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('escaped JSON', () => {
  test('is ASCII, and the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = asciiJson(printJson(text))
        assert.match(escaped, /^[\x20-\x7e]*$/)
        assert.equal(parseJson(escaped), text)
      }),
    )
  })
})

describe('a CloudEvent', () => {
  test('in structured mode has the message as its data', () => {
    assert.equal(
      cloudEvent(message('{"n": "\u00e9"}'), QUEUE),
      '{"specversion": "1.0", "id": "m1", "source": "/v2/queues/q", "type": "org.openstack.zaqar.message", ' +
        '"time": "2026-07-01T12:00:00.007Z", "datacontenttype": "application/json", "project": "p1", "ttl": 300, ' +
        '"data": {"n": "\\u00e9"}}',
    )
  })

  test('in binary mode has its attributes in headers', () => {
    assert.deepEqual(cloudEventHeaders(message('1'), { ...QUEUE, kind: 'topic' }), {
      'Content-Type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'm1',
      'ce-source': '/v2/topics/q',
      'ce-type': 'org.openstack.zaqar.message',
      'ce-time': '2026-07-01T12:00:00.007Z',
      'ce-project': 'p1',
      'ce-ttl': '300',
    })
  })

  test('has headers that can be sent, whatever the project is called', () => {
    const projectHeader = (project: string) => cloudEventHeaders(message('1'), { ...QUEUE, project })['ce-project']
    assert.equal(projectHeader('a b"%\u20ac\u{1f600}\n'), 'a%20b%22%25%E2%82%AC%F0%9F%98%80%0A')
    assert.equal(projectHeader(''), undefined, 'no project, no attribute')
    assert.ok(!cloudEvent(message('1'), { ...QUEUE, project: '' }).includes('project'))
  })
})
