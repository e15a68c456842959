import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExactly } from '../../src/cli/exact-json.ts'
import { linesOf } from '../../src/cli/lines.ts'
import { duration } from '../../src/cli/output/duration.ts'
import { printable, printableJson } from '../../src/cli/output/printable.ts'
import { Table } from '../../src/cli/output/table.ts'
import { cut, widthOf } from '../../src/cli/output/width.ts'

test('what a terminal could take amiss is escaped, and JSON still means the same', () => {
  assert.equal(printable('a\u001b[2J\n\u009b\u202eb'), 'a\\u001b[2J\\n\\u009b\\u202eb')
  const value = { '\u009b': 'x\u2066\u{e0041}日本' }
  assert.deepEqual(JSON.parse(printableJson(value)), value)
  assert.doesNotMatch(printableJson(value), /\p{Cc}|\u2066/u)
})

test('wide characters take two columns, marks none', () => {
  assert.deepEqual(['abc', '日本', 'e\u0301', '👩‍👩‍👧', ''].map(widthOf), [3, 4, 1, 2, 0])
  assert.equal(cut('日本語', 6), '日本語')
  assert.equal(cut('日本語', 5), '日本…')
  assert.equal(cut('日本語', 4), '日…')
})

test('a table takes from its widest columns until it fits', () => {
  const columns = [
    { title: 'N', isNumber: true, value: ({ n }: { n: number }) => n },
    { title: 'TEXT', value: ({ text }: { text: string }) => text },
  ] as const
  const rows = [
    { n: 1, text: '日本語日本語日本語' },
    { n: 20, text: 'short' },
  ]
  const whole = new Table<(typeof rows)[number]>([...columns], rows, null)
  assert.deepEqual(
    [whole.header(), ...rows.map((row) => whole.row(row))],
    [' N  TEXT', ' 1  日本語日本語日本語', '20  short'],
  )
  const narrow = new Table<(typeof rows)[number]>([...columns], rows, 12)
  const lines = [narrow.header(), ...rows.map((row) => narrow.row(row))]
  assert.deepEqual(lines, [' N  TEXT', ' 1  日本語…', '20  short'])
  for (const line of lines) assert.ok(widthOf(line) <= 12)
})

test('numbers stay as they were written', () => {
  const json = '{"a":12345678901234567890,"b":1.10,"c":1e400,"d":-0}'
  assert.equal(JSON.stringify(parseExactly(json)), json)
})

test('lines are found wherever the chunks end', async () => {
  const bytes = new TextEncoder().encode('a\r\nä日\n\nend')
  const oneByOne = async function* () {
    for (const byte of bytes) yield Uint8Array.of(byte)
  }
  assert.deepEqual(await Array.fromAsync(linesOf(oneByOne())), ['a', 'ä日', '', 'end'])
  const broken = async function* () {
    yield Uint8Array.of(0xff)
  }
  await assert.rejects(Array.fromAsync(linesOf(broken())), /no text in UTF-8/)
})

test('times are said in a unit that fits', () => {
  assert.deepEqual([0, 119, 120, 7199, 7200, 200_000].map(duration), ['0s', '119s', '2m', '119m', '2h', '2d'])
})
