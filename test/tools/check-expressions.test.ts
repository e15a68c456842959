import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { slowExpressions } from '../../tools/check-expressions.ts'

const verdict = (text: string) => slowExpressions([{ path: 'a.ts', text }])

describe('the rule of expressions', () => {
  test('names place, expression and what makes it slow', () => {
    assert.deepEqual(verdict('const a = 1\n\nconst bare = text.replace(/^[{}]+|[{}]+$/g, "")\n'), [
      'a.ts:3 /^[{}]+|[{}]+$/g: takes more than linear time over many "}"',
    ])
  })

  for (const statement of [
    'const form = /^(a+)+$/',
    'if (!/a*a*b/i.test(text)) return',
    "return /\\s+$/.exec(text)?.[0] ?? ''",
    'const all = [/a/, /[/\\]"]+$/u]',
    'const form = isLong ? /x/ : /\\/+$/',
    'text\n  .split(\n    /[,;]+$/,\n  )',
    'const form = {\n  end: /\\d+$/v,\n}',
    'const isEnd = (text) => /\\)+$/.test(text)',
    'const form = new RegExp(pattern)',
    'const form = RegExp(start + end)',
  ]) {
    test(`refuses ${JSON.stringify(statement)}`, () => assert.equal(verdict(statement).length, 1))
  }

  for (const statement of [
    'const form = /^[0-9a-f]{32}$/',
    'const name = text.replace(/[{}]/g, "")',
    'const half = width / 2 / height',
    "import { a } from '../a+a+/b.ts'",
    '// a comment, and /** another */',
  ]) {
    test(`allows ${JSON.stringify(statement)}`, () => assert.deepEqual(verdict(statement), []))
  }
})
