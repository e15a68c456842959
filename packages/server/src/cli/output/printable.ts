/**
 * What others wrote, made fit for a terminal: names and bodies may hold sequences that move its cursor, rename its window or
 * turn the order of characters round.
 */

/** Controls of C0 and C1, separators of lines, marks that change the direction of text, and what only looks like nothing. */
const HOSTILE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu

/** On one line, with what is hostile written as JSON would: `\u001b`. */
export function printable(text: string): string {
  return text.replace(HOSTILE, escaped)
}

/** JSON on one line. What it means stays the same; what a terminal could take amiss is escaped. */
export function printableJson(value: unknown): string {
  return printable(JSON.stringify(value) ?? 'null')
}

function escaped(character: string): string {
  const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character]
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
  return short ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
