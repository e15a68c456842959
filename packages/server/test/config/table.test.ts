import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { documentOptions } from '../../src/config/document.ts'
import { flagRows, optionGroups, variableOf } from '../../src/config/find-option.ts'
import { secret } from '../../src/config/kinds.ts'
import { isUsed } from '../../src/config/option.ts'

const rows = optionGroups.flatMap((group) => group.options.map((option) => ({ group, option })))

/** What is there more than once. */
function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index)
}

test('every name, variable, flag and place in the configuration is there once', () => {
  for (const { name, options } of optionGroups) {
    assert.deepEqual(repeated(options.flatMap((option) => [option.name, ...(option.aliases ?? [])])), [], name)
  }
  assert.deepEqual(repeated(optionGroups.flatMap((group) => [group.name, ...(group.aliases ?? [])])), [])
  assert.deepEqual(repeated(rows.map(({ group, option }) => variableOf(group, option))), [])
  assert.deepEqual(repeated(flagRows.map(({ flag }) => flag.name)), [])
  assert.deepEqual(repeated(rows.flatMap(({ option }) => ('key' in option ? [option.key] : []))), [])
})

test('every default is allowed', () => {
  for (const { group, option } of rows) {
    if (!isUsed(option) || option.default === null) continue
    assert.ok('value' in option.kind.parse(option.default), `[${group.name}] ${option.name}`)
  }
})

test('docs/configuration.md is up to date', () => {
  const path = new URL('../../../../docs/configuration.md', import.meta.url)
  assert.equal(
    readFileSync(path, 'utf8'),
    documentOptions(),
    'run: node packages/server/src/cli/main.ts config options --markdown > docs/configuration.md',
  )
})

test('a secret shows only to those who ask for it', () => {
  const parsed = secret.parse('hunter2')
  assert.ok('value' in parsed)
  assert.equal(parsed.value.reveal(), 'hunter2')
  const shown = [String(parsed.value), JSON.stringify(parsed), inspect(parsed), `${parsed.value}`]
  for (const text of shown) assert.doesNotMatch(text, /hunter2/)
})
