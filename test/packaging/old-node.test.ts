import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { installNode } from './npm.ts'

const sentence = /^Zaqar needs Node\.js 24 or newer, but this is 20\.\d+\.\d+ at [^:]+: install [^:]+ bring it\.\n$/

describe('on a Node that is too old, where the pinned one is not installed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-old-node-'))
  after(() => rmSync(folder, { recursive: true }))
  const repository = join(folder, 'repository')
  const root = join(import.meta.dirname, '../..')
  for (const path of ['package.json', 'packages/server/package.json', 'packages/server/bin']) {
    cpSync(join(root, path), join(repository, path), { recursive: true })
  }
  const oldNode = installNode(20, folder)
  const env = { ...process.env, PATH: [dirname(oldNode), systemPath()].join(delimiter) }

  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const bringsItsOwn = 'test:24'
  for (const script of Object.keys(scripts).filter((name) => name !== bringsItsOwn)) {
    test(`npm run ${script} says so in one sentence`, () => {
      const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', script], {
        cwd: repository,
        env,
        encoding: 'utf8',
      })
      assert.match(stderr, sentence)
      assert.equal(stdout, '')
      assert.equal(status, 1)
    })
  }
})

/** The path without what npm puts in front of it for a script: the pinned Node is there. */
function systemPath(): string {
  const entries = process.env['PATH']?.split(delimiter) ?? []
  return entries.filter((entry) => !entry.includes('node_modules')).join(delimiter)
}
