import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { installationKey } from '../../src/auth/signing-key.ts'
import { banner } from '../../src/cli/banner.ts'
import { load } from '../config/memory.ts'

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

describe('whoever starts a node is told of a key that other nodes on its store do not know', () => {
  const said = (env: Record<string, string>) =>
    /Signed URLs .*secret_key/.test(
      banner(load({ env }), { url: 'http://127.0.0.1:8888', adminUrl: null, socketUrl: null }, '1'),
    )
  const shared = { OS_STORAGE__URI: 'postgres://127.0.0.1/zaqar' }

  test('where there may be other nodes', () => assert.ok(said(shared)))
  test('not where SQLite keeps others out', () => assert.ok(!said({})))
  test('not where they all have one', () => assert.ok(!said({ ...shared, OS_SIGNED_URL__SECRET_KEY: 'k' })))
})
