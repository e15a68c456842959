import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { installationKey } from '../../src/auth/signing-key.ts'

describe("an installation's own key", () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zaqar-key-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('is made once, for this user alone, and nobody can guess it', () => {
    const key = installationKey(folder)
    assert.match(key, /^[0-9a-f]{64}$/)
    assert.equal(installationKey(folder), key)
    assert.deepEqual(readdirSync(folder), ['signed-url.key'])
    assert.equal(statSync(join(folder, 'signed-url.key')).mode & 0o777, 0o600)
  })

  test('is another one in another folder', () => {
    const other = mkdtempSync(join(tmpdir(), 'zaqar-key-'))
    assert.notEqual(installationKey(other), installationKey(folder))
    rmSync(other, { recursive: true })
  })

  test('an empty file does not become a key that everybody knows', () => {
    writeFileSync(join(folder, 'signed-url.key'), '\n')
    assert.throws(() => installationKey(folder), /signed-url\.key is empty/)
  })
})
