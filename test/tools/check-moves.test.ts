import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { outdatedVersion } from '../../tools/check-moves.ts'

test('moves that have changed need a version', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-moves-'))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  try {
    write('a.sql', 'SELECT 1;')
    write('versions.txt', 'none\n')
    const digest = outdatedVersion(folder)?.slice(-64)
    write('versions.txt', `none\n${digest}\n`)
    assert.equal(outdatedVersion(folder), null)
    write('a.sql', 'SELECT 2;')
    assert.match(outdatedVersion(folder) ?? '', /the moves have changed/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
