import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseJson, printJson } from '../../../src/model/json.ts'
import type { Json, JsonObject } from '../../../src/model/model.ts'
import { v2 } from '../../../src/wire/v2/version.ts'
import { socketDoors } from '../../../src/wire/websocket/doors.ts'
import type { Encoding } from '../../../src/wire/websocket/encodings.ts'
import { type Frame, FrameRefused, readFrame } from '../../../src/wire/websocket/frames.ts'
import { encodeMsgpack } from '../../../src/wire/websocket/msgpack-frames.ts'
import { decodeMsgpack } from '../../../src/wire/websocket/msgpack-reader.ts'
import { pythonComplaint } from '../../../src/wire/websocket/python-complaint.ts'
import { askPython, pythonIsMissing } from './ask-python.ts'
import { jsonText } from './documents.ts'

const doors = socketDoors(v2)

const HEADERS = { 'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c', 'X-Project-ID': 'p' }
const NOTHING = { action: null, body: {}, headers: {}, api: 'v2' }

function accepted(text: string, encoding: Encoding = 'json'): Frame {
  const frame = read(text, encoding)
  assert.ok(!(frame instanceof FrameRefused), text)
  return frame
}

function read(text: string, encoding: Encoding): Frame | FrameRefused {
  return readFrame(encoding === 'json' ? Buffer.from(text) : encodeMsgpack(text), encoding, doors)
}

/** The document with which a frame is refused. */
function refused(text: string, encoding: Encoding = 'json'): JsonObject {
  const frame = read(text, encoding)
  assert.ok(frame instanceof FrameRefused, `not refused: ${text}`)
  const answer = frame.echo.answer(frame.answer)
  return (encoding === 'json' ? parseJson(String(answer)) : decodeMsgpack(answer).document) as JsonObject
}

function frameOf(action: Json, body: Json = {}, headers: Json = HEADERS): string {
  return JSON.stringify({ action, headers, body })
}

/** The JSON text of an answer with an empty object. */
function answerTo(text: string): string {
  return String(accepted(text).echo.answer({ status: 200, body: '{}' }))
}

describe('in either encoding', () => {
  for (const encoding of ['json', 'msgpack'] as const) {
    test(`a frame of ${encoding} comes with its action, its headers and its body`, () => {
      const { action, door, headers, body, bytes } = accepted(frameOf('queue_get', { queue_name: 'kit' }), encoding)
      assert.deepEqual(
        { action, headers, body },
        { action: 'queue_get', headers: HEADERS, body: { queue_name: 'kit' } },
      )
      assert.equal(door, doors.get('queue_get'))
      assert.ok(bytes > 100)
    })

    const wrong: [what: string, text: string, error: string, exception?: string][] = [
      ['an array', '[]', 'Unexpected body type. Expected dict or dict like.'],
      ['a number', '7.5', 'Unexpected body type. Expected dict or dict like.'],
      ['no action', '{"headers": {}}', 'None is not a valid action'],
      ['an unknown action', frameOf('queue_paint'), 'queue_paint is not a valid action'],
      ['the name of what every object has', frameOf('constructor'), 'constructor is not a valid action'],
      ['an array for an action', frameOf(['queue_list']), '["queue_list"] is not a valid action'],
      ['an object for an action', frameOf({ a: 1 }), '{"a": 1} is not a valid action'],
      ['a boolean for an action', frameOf(true), 'True is not a valid action'],
      ['no headers', '{"action": "ping_node"}', 'Schema validation failed.', 'headers is missing'],
      [
        'a list of headers',
        frameOf('queue_list', {}, [1]),
        'Schema validation failed.',
        'headers must be of type object',
      ],
      ['no client', frameOf('queue_list', {}, {}), 'Schema validation failed.', 'headers.Client-ID is missing'],
      [
        'no project',
        frameOf('queue_list', {}, { 'Client-ID': 'c' }),
        'Schema validation failed.',
        'headers.X-Project-ID is missing',
      ],
      [
        'a known header that is no text',
        frameOf('queue_list', {}, { ...HEADERS, Accept: 1 }),
        'Schema validation failed.',
        'headers.Accept must be of type string',
      ],
      [
        'authenticate without a token',
        frameOf('authenticate', {}, { 'X-Project-ID': 'p' }),
        'Schema validation failed.',
        'headers.X-Auth-Token is missing',
      ],
      [
        'authenticate without a project',
        frameOf('authenticate', {}, { 'X-Auth-Token': 't' }),
        'Schema validation failed.',
        'headers.X-Project-ID is missing',
      ],
      [
        'no body',
        JSON.stringify({ action: 'queue_get', headers: HEADERS }),
        'Schema validation failed.',
        'body is missing',
      ],
      [
        'null for a body that may be missing',
        frameOf('queue_list', null),
        'Schema validation failed.',
        'body must be of type object',
      ],
      ['a list for a body', frameOf('queue_get', ['kit']), 'Schema validation failed.', 'body must be of type object'],
      ['a body without its queue', frameOf('queue_get'), 'Schema validation failed.', 'body.queue_name is missing'],
      [
        'a queue that is no text',
        frameOf('queue_get', { queue_name: 7 }),
        'Schema validation failed.',
        'body.queue_name must be of type string',
      ],
      [
        'true for an integer',
        frameOf('queue_list', { limit: true }),
        'Schema validation failed.',
        'body.limit must be of type integer',
      ],
      [
        '2.0 for an integer',
        '{"action": "queue_list", "headers": {"Client-ID": "c", "X-Project-ID": "p"}, "body": {"limit": 2.0}}',
        'Schema validation failed.',
        'body.limit must be of type integer',
      ],
      [
        '1 for a boolean',
        frameOf('queue_list', { detailed: 1 }),
        'Schema validation failed.',
        'body.detailed must be of type boolean',
      ],
      [
        'a list that holds a number for an id',
        frameOf('message_get_many', { queue_name: 'kit', message_ids: ['a', 1] }),
        'Schema validation failed.',
        'body.message_ids.1 must be of type string',
      ],
      [
        'a queue and a topic',
        frameOf('message_post', { queue_name: 'a', topic_name: 'b', messages: [] }),
        'Schema validation failed.',
        'body.topic_name cannot stand beside body.queue_name',
      ],
      [
        'a topic for what has no topics',
        frameOf('claim_create', { topic_name: 'b' }),
        'Schema validation failed.',
        'body.queue_name is missing',
      ],
    ]
    for (const [what, text, error, exception] of wrong) {
      test(`${what} in ${encoding} is refused`, () => {
        const { headers, body } = refused(text, encoding)
        assert.deepEqual(headers, { status: 400 })
        assert.deepEqual(body, exception === undefined ? { error } : { error, exception })
      })
    }
  }
})

test('an integer may have 64 bits', () => {
  const text =
    '{"action": "queue_list", "headers": {"Client-ID": "c", "X-Project-ID": "p"}, "body": {"limit": 9223372036854775807}}'
  assert.equal(accepted(text).action, 'queue_list')
})

test('the body may be left out where nothing need be said, and unknown keys are passed over', () => {
  const { body } = accepted(JSON.stringify({ action: 'queue_list', headers: HEADERS, trace: [1] }))
  assert.deepEqual(body, {})
  assert.equal(accepted(frameOf('queue_get', { queue_name: 'kit', limit: 'many' })).action, 'queue_get')
})

test('who asks for nothing in particular need not say who he is', () => {
  for (const action of ['ping_node', 'get_home_doc', 'check_node_health']) {
    assert.equal(accepted(frameOf(action, {}, {})).action, action)
  }
})

test('a body that names a topic is for the door of topics', () => {
  const body = { topic_name: 'news', message_id: 'm1' }
  const { door } = accepted(frameOf('message_get', body))
  assert.deepEqual(door?.target(body), {
    resource: { method: 'GET', path: '/v2/topics/news/messages/m1' },
    names: { queue: 'news', message: 'm1' },
  })
  assert.equal(door?.operation.kind, 'topic')
})

test('of several operations of an action, the body decides', () => {
  const operationOf = (action: string, body: JsonObject) => accepted(frameOf(action, body)).door?.operation.name
  assert.equal(operationOf('message_delete_many', { queue_name: 'kit', message_ids: [] }), 'messages.delete_many')
  assert.equal(operationOf('message_delete_many', { topic_name: 'news', pop: 1 }), 'messages.pop')
  assert.equal(operationOf('subscription_create', { queue_name: 'kit' }), 'subscriptions.push')
  assert.equal(operationOf('subscription_create', { queue_name: 'kit', subscriber: '' }), 'subscriptions.push')
  assert.equal(
    operationOf('subscription_create', { queue_name: 'kit', subscriber: 'http://a' }),
    'subscriptions.create',
  )
})

describe('an answer', () => {
  test('repeats action, body and headers as they came, in ASCII', () => {
    const text =
      '{"body": {"b": 1.0, "1": "é", "a": 12345678901234567}, "action": "queue_list", "x": 0, ' +
      '"headers": {"Client-ID": "\u007f", "X-Project-ID": "p", "URL-Paths": [1]}}'
    assert.equal(
      answerTo(text),
      '{"request": {"action": "queue_list", "body": {"b": 1.0, "1": "\\u00e9", "a": 12345678901234567}, ' +
        '"headers": {"Client-ID": "\\u007f", "X-Project-ID": "p", "URL-Paths": [1]}, "api": "v2"}, ' +
        '"body": {}, "headers": {"status": 200}}',
    )
  })

  test('repeats the last of two values with one key', () => {
    const text = frameOf('queue_list').replace('"body":{}', '"body":{"limit":1},"body":{"limit":2}')
    assert.match(answerTo(text), /"body": \{"limit":2\}, "headers": \{"Client-ID"/)
  })

  test('shows an empty object for a body that is missing, and for headers that are as good as missing', () => {
    for (const headers of ['', ', "headers": null', ', "headers": []']) {
      const { request } = refused(`{"action": "queue_get"${headers}}`)
      assert.deepEqual(request, { action: 'queue_get', body: {}, headers: {}, api: 'v2' })
    }
    const { request } = refused(frameOf('queue_list', null))
    assert.deepEqual(request, { action: 'queue_list', body: null, headers: HEADERS, api: 'v2' })
  })

  test('never repeats what authenticates', () => {
    const headers = { 'X-Auth-Token': 'secret', 'X-Project-ID': 'p' }
    const expected = { action: 'authenticate', body: {}, headers: {}, api: 'v2' }
    const answer = answerTo(frameOf('authenticate', { password: 'secret' }, headers))
    assert.deepEqual((parseJson(answer) as JsonObject)['request'], expected)
    const { request } = refused(frameOf('authenticate', {}, { 'X-Auth-Token': 'secret' }))
    assert.deepEqual(request, expected)
  })

  test('repeats a request_id that is a text or a number', () => {
    const idIn = (id: string, frame = frameOf('queue_list')) =>
      /, "request_id": (.*)}$/.exec(answerTo(frame.replace('{', `{"request_id": ${id}, `)))?.[1]
    assert.equal(idIn('"é"'), '"\\u00e9"')
    assert.equal(idIn('7'), '7')
    assert.equal(idIn('1.50'), '1.50')
    assert.equal(idIn('"7"', frameOf('authenticate', {}, { 'X-Auth-Token': 't', 'X-Project-ID': 'p' })), '"7"')
    for (const id of ['null', 'true', '[1]', '{"a": 1}']) assert.equal(idIn(id), undefined)
    assert.equal(refused('{"request_id": 7}')['request_id'], 7)
  })

  test('says the same in both encodings', () => {
    fc.assert(
      fc.property(jsonText, jsonText, (inBody, inAnswer) => {
        const text =
          `{"request_id": "1", "action": "queue_list", "body": {"a": ${inBody}}, ` +
          '"headers": {"Client-ID": "c", "X-Project-ID": "p"}}'
        const answer = { status: 200, body: `{"b": ${inAnswer}}` }
        const inJson = String(accepted(text).echo.answer(answer))
        const { document } = decodeMsgpack(accepted(text, 'msgpack').echo.answer(answer))
        assert.match(inJson, /^[\x20-\x7e]*$/)
        assert.equal(printJson(document), printJson(parseJson(inJson)))
      }),
    )
  })
})

describe('what cannot be decoded is refused', () => {
  const wrong = [
    ['nothing', '', 'JSONDecodeError: Expecting value: line 1 column 1 (char 0)'],
    [
      'a byte order mark',
      '\ufeff{}',
      'JSONDecodeError: Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)',
    ],
    ['not a number', '{"a":\n NaN}', 'JSONDecodeError: Expecting value: line 2 column 2 (char 7)'],
    ['an integer of more than 64 bits', '{"a": 18446744073709551615}', 'ValueError: an integer of more than 64 bits'],
    ['501 arrays in one another', '['.repeat(501), 'RecursionError: nested deeper than 500'],
  ] as const
  for (const [what, text, problem] of wrong) {
    test(what, () => {
      assert.deepEqual(refused(text), {
        request: NOTHING,
        body: { error: `Can't decode text (JSON) request. ${problem}` },
        headers: { status: 400 },
      })
    })
  }

  test('a binary frame with more than one document', () => {
    const data = Buffer.from('8080', 'hex')
    const frame = readFrame(data, 'msgpack', doors)
    assert.ok(frame instanceof FrameRefused)
    assert.match(frame.answer.body, /"Can't decode binary \(MessagePack\) request. ExtraData: /)
  })

  test('with the words of Python', { skip: pythonIsMissing }, () => {
    const piece = fc.constantFrom(
      '',
      '"',
      '\\',
      ',',
      ':',
      '{',
      '}',
      ']',
      '\t',
      '\n',
      '\0',
      '0',
      '-',
      '.',
      'e',
      '\\u12',
      '\ufeff',
      '\u{1f600}',
      'nul',
    )
    const broken = fc
      .tuple(jsonText, fc.nat(), piece, fc.boolean())
      .map(([text, at, piece, isWhole]) => {
        const place = at % text.length
        return text.slice(0, place) + piece + (isWhole ? text.slice(place + 1) : '')
      })
      .filter((text) => text.isWellFormed())
    const texts = fc.sample(broken, 3000)
    const complaints = askPython(texts.map((parse) => ({ parse })))
    for (const [index, text] of texts.entries()) {
      const complaint = complaints[index]
      if (complaint !== null) assert.equal(pythonComplaint(text), complaint, JSON.stringify(text))
    }
  })
})
