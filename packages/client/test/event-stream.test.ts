import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { EventReader, type StreamEvent } from '../src/event-stream.ts'

/** What a reader makes of a text that comes in chunks of so many bytes, again and again from the start of the sizes. */
function read(text: string, sizes: readonly number[] = [text.length * 4 + 1]): StreamEvent[] {
  const bytes = new TextEncoder().encode(text)
  const reader = new EventReader()
  const events: StreamEvent[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (sizes[i % sizes.length] as number)
    events.push(...reader.read(bytes.subarray(at, end)))
    at = end
  }
  return events
}

describe('an event', () => {
  test('has its id and its data, of one line or of several', () => {
    assert.deepEqual(read('id: 7\ndata: {"a": 1}\n\n'), [{ id: '7', data: '{"a": 1}' }])
    assert.deepEqual(read('data: one\ndata:two\ndata:  three\n\n'), [{ id: '', data: 'one\ntwo\n three' }])
    assert.deepEqual(read('data\n\n'), [{ id: '', data: '' }])
  })

  test('without data tells a place only, which later ones keep', () => {
    assert.deepEqual(read('retry: 2000\nid: 7\n\ndata: x\n\n'), [
      { id: '7', data: null },
      { id: '7', data: 'x' },
    ])
  })

  test('is none before its blank line, and comments and fields that nobody knows say nothing', () => {
    assert.deepEqual(read(': hello\nevent: message\ncolour: red\ndata: x\n'), [])
    assert.deepEqual(read(':\n\n'), [{ id: '', data: null }])
    assert.deepEqual(read('id: a\0b\ndata: x\n\n'), [{ id: '', data: 'x' }])
    assert.deepEqual(read('\u{feff}data: x\n\n'), [{ id: '', data: 'x' }])
  })

  test('may end its lines in three ways', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      assert.deepEqual(read(`id: 1${end}data: x${end}${end}id: 2${end}data: y${end}${end}`), [
        { id: '1', data: 'x' },
        { id: '2', data: 'y' },
      ])
    }
  })

  test('is the same however its bytes are cut', () => {
    const line = fc.oneof(
      fc.constantFrom('', 'id: 1', 'id: ü', 'data: x', 'data: 𝄞é', ':', 'data', 'retry: 1'),
      fc.string(),
    )
    const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n'))).map((lines) => lines.flat().join(''))
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (text, sizes) => {
        assert.deepEqual(read(text, sizes), read(text))
      }),
    )
  })

  test('that does not end is not kept for ever', () => {
    const reader = new EventReader()
    const chunk = new TextEncoder().encode('data: '.padEnd(2 ** 20, 'x'))
    assert.throws(() => {
      for (let i = 0; i < 100; i++) reader.read(chunk)
    }, RangeError)
  })
})
