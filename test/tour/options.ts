import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../packages/server/src/config/load.ts'
import { diskFiles } from '../../packages/server/src/platform/disk-files.ts'
import type { Block } from './page.ts'

/** Each of the `count` configurations on a page is read without a complaint. */
export function assertOptionsTaken(blocks: readonly Block[], count: number): void {
  const configs = blocks.filter(({ language }) => language === 'ini')
  assert.equal(configs.length, count)
  for (const { text } of configs) {
    const folder = mkdtempSync(join(tmpdir(), 'zaqar-tour-'))
    const file = join(folder, 'zaqar.conf')
    writeFileSync(file, text)
    const { noEffect, warnings } = loadConfig({
      flags: { files: [file], folders: [], given: [] },
      env: {},
      homeDir: folder,
      files: diskFiles,
    })
    assert.deepEqual([noEffect, warnings], [[], []])
    rmSync(folder, { recursive: true })
  }
}
