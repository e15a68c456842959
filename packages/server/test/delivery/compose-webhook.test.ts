import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readSubscriptionOptions } from '../../src/core/rules/subscription-options.ts'
import { composeAnnouncement, composeWebhook } from '../../src/delivery/compose-webhook.ts'
import { messageDocument } from '../../src/delivery/documents.ts'
import type { NotifiedMessage, Queue } from '../../src/model/model.ts'

const QUEUE: Queue = { project: 'p1', kind: 'queue', name: 'q', metadata: '{}', version: '1' }
const MARKER = '"$zaqar_message$"'
const BATCH = { messages: 10, seconds: 1 }

function message(body: string, id = 'm1'): NotifiedMessage {
  return { id, body, clientId: 'c', ttlSeconds: 300, delaySeconds: 0, createdAt: 0 }
}
const FIRST = message('{"n": 1}')
const SECOND = message('"$&"', 'm2')
const DOCUMENT = messageDocument(FIRST, QUEUE)

function compose(options: object, messages: readonly NotifiedMessage[] = [FIRST], headers = {}) {
  return composeWebhook({ options: readSubscriptionOptions(JSON.stringify(options)), queue: QUEUE, messages, headers })
}

describe('a request to a webhook', () => {
  test('is the document of the message, as JSON', () => {
    assert.deepEqual(compose({}), { headers: { 'Content-Type': 'application/json' }, body: DOCUMENT })
  })

  test('has the headers that the subscription wants, in place of others of that name', () => {
    assert.deepEqual(
      compose(
        { post_headers: { 'content-type': 'text/plain', 'X-Team': 'billing', 'x-auth-token': 'mine' } },
        [FIRST],
        { 'X-Auth-Token': 'of the trust', 'X-More': '1' },
      ).headers,
      { 'content-type': 'text/plain', 'x-auth-token': 'mine', 'X-More': '1', 'X-Team': 'billing' },
    )
    assert.deepEqual(compose({ post_headers: { 'CONTENT-TYPE': null, Accept: null } }).headers, {})
  })

  test('is framed by whoever sends it, whatever the headers say', () => {
    const framing = {
      'Content-Length': '3',
      'transfer-encoding': 'chunked',
      Connection: 'close',
      Expect: '100-continue',
    }
    const { headers } = compose({ post_headers: { ...framing, Host: 'other.example' } })
    assert.deepEqual(headers, { 'Content-Type': 'application/json', Host: 'other.example' })
  })

  test('fills the template with the document, wherever it is named in quotes', () => {
    const template = `{"a": ${MARKER}, "b": [${MARKER}], "c": "$zaqar_message$ is no marker", "d": "$&"}`
    const { body, headers } = compose({ post_data: template })
    assert.equal(body, `{"a": ${DOCUMENT}, "b": [${DOCUMENT}], "c": "$zaqar_message$ is no marker", "d": "$&"}`)
    assert.equal(headers['Content-Type'], 'application/json', 'also when that is no JSON')
    assert.equal(compose({ post_data: '' }).body, '')
  })

  test('fills in a message that looks like a pattern or a marker as it is', () => {
    for (const body of ['"$&"', '"$1 $$ $`"', MARKER]) {
      const document = messageDocument(message(body), QUEUE)
      assert.equal(compose({ post_data: `<${MARKER}|${MARKER}>` }, [message(body)]).body, `<${document}|${document}>`)
    }
  })

  test('leaves alone what an old template names too often', () => {
    const { body } = compose({ post_data: Array(23).fill(MARKER).join(',') })
    assert.equal(body, [...Array(20).fill(DOCUMENT), MARKER, MARKER, MARKER].join(','))
  })

  test('of a batch is an array of documents in order', () => {
    const array = `[${DOCUMENT}, ${messageDocument(SECOND, QUEUE)}]`
    assert.equal(compose({ _batch: BATCH }, [FIRST, SECOND]).body, array)
    assert.equal(compose({ _batch: BATCH, post_data: `{"all": ${MARKER}}` }, [FIRST, SECOND]).body, `{"all": ${array}}`)
    assert.equal(compose({ _batch: BATCH }).body, `[${DOCUMENT}]`, 'of one, too')
  })

  test('is a CloudEvent where the subscription says so', () => {
    const { headers, body } = compose({ _format: 'cloudevents' })
    assert.deepEqual(headers, { 'Content-Type': 'application/cloudevents+json' })
    assert.deepEqual(JSON.parse(body).data, { n: 1 })

    const batch = compose({ _format: 'cloudevents', _batch: BATCH }, [FIRST, SECOND])
    assert.deepEqual(batch.headers, { 'Content-Type': 'application/cloudevents-batch+json' })
    assert.deepEqual(
      JSON.parse(batch.body).map((event: { id: string }) => event.id),
      ['m1', 'm2'],
    )

    const binary = compose({ _format: 'cloudevents-binary' }, [message('"\u00e9"')])
    assert.equal(binary.body, '"\\u00e9"')
    assert.equal(binary.headers['ce-id'], 'm1')
    assert.equal(binary.headers['Content-Type'], 'application/json')
  })

  test('that fills a template with a CloudEvent does not say that it is one', () => {
    const { headers, body } = compose({ _format: 'cloudevents', post_data: `{"event": ${MARKER}}` })
    assert.deepEqual(headers, { 'Content-Type': 'application/json' })
    assert.equal(JSON.parse(body).event.id, 'm1')
  })

  test('about the subscription itself has the form of upstream, whatever that of messages', () => {
    const options = { _format: 'cloudevents', _batch: BATCH, post_headers: { 'X-Team': 'a' }, post_data: `<${MARKER}>` }
    assert.deepEqual(
      composeAnnouncement({ options: readSubscriptionOptions(JSON.stringify(options)), document: '{"Message": "$&"}' }),
      { headers: { 'Content-Type': 'application/json', 'X-Team': 'a' }, body: '<{"Message": "$&"}>' },
    )
  })
})
