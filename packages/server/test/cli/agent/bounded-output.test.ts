import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BoundedOutput } from '../../../src/cli/agent/bounded-output.ts'

function of(...chunks: readonly (string | Buffer)[]): BoundedOutput {
  const output = new BoundedOutput()
  for (const chunk of chunks) output.add(Buffer.from(chunk))
  return output
}

test('a short output is kept as it is, however it comes', () => {
  const output = of('a', '', Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1), 'b')
  assert.deepEqual([output.text(), output.isTruncated], ['aéb', false])
})

test('16 KiB are kept, one byte more is not', () => {
  const whole = 'x'.repeat(16_384)
  assert.deepEqual([of(whole).text(), of(whole).isTruncated], [whole, false])
  assert.equal(of(whole, 'y').isTruncated, true)
  assert.match(of(whole, 'y').text(), /^x{8192}\n\[\.\.\. 1 bytes \.\.\.\]\nx{8191}y$/)
})

test('of a long output the beginning and the end are kept, in one chunk or in many', () => {
  const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i}\n`)
  const text = lines.join('')
  const wanted = `${text.slice(0, 8192)}\n[... ${text.length - 16_384} bytes ...]\n${text.slice(-8192)}`
  assert.equal(of(text).text(), wanted)
  assert.equal(of(...lines).text(), wanted)
})

test('no character is cut in two', () => {
  const output = of('x', '€'.repeat(10_000))
  assert.doesNotMatch(output.text(), /\uFFFD/)
  assert.match(output.text(), /^x€{2730}\n\[\.\.\. 13617 bytes \.\.\.\]\n€{2730}$/)
})

test('bytes that are no text do not stop it', () => {
  assert.equal(of(Buffer.from([0xff, 0x41, 0x00])).text(), '\uFFFDA\0')
  assert.equal(of(Buffer.alloc(20_000, 0x80)).isTruncated, true)
  assert.ok(of(Buffer.alloc(20_000, 0x80)).text().length < 17_000)
})
