import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unusedTexts } from '../../tools/check-texts.ts'

const table = {
  save: 'Save',
  claims: { take: 'Claim', ends: (seconds: number) => `ends in ${seconds} s` },
  post: { shapes: { one: 'One', many: 'Many' }, body: 'Body' },
}

test('a text that no page shows is found', () => {
  const sources = [
    'const a = text.save; const words = text.claims; words.ends(3)',
    'const { body } = text.post; text.post.shapes[x]',
  ]
  assert.deepEqual(unusedTexts(table, sources), ['claims.take'])
})

test('one section does not stand for another, nor one page for another', () => {
  const sources = ['const words = text.claims; words.body; words.take; words.ends', 'text.post', 'text.save']
  assert.deepEqual(unusedTexts(table, sources), ['post.shapes.one', 'post.shapes.many', 'post.body'])
})

test('texts that are picked by name in quotes, or as a whole, are used', () => {
  const sources = [
    "text.save; const words = text.claims; ['take', 'ends'].map((one) => words[one])",
    'const words = text.post; Object.entries(words.shapes); words.body',
  ]
  assert.deepEqual(unusedTexts(table, sources), [])
})
