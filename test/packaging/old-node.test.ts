import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { installNode } from './npm.ts'

const root = join(import.meta.dirname, '../..')
const { scripts, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
  optionalDependencies: Record<string, string>
}

describe('on a Node that is too old', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-old-node-'))
  after(() => rmSync(folder, { recursive: true }))
  const oldNode = installNode(20, join(folder, 'node-20'))

  describe('without the pinned one', () => {
    const repository = copyDoors(join(folder, 'bare'))
    const env = { ...process.env, PATH: [dirname(oldNode), systemPath()].join(delimiter) }
    const sentence = /^Zaqar needs Node\.js 24 or newer, but this is 20\.\d+\.\d+ at [^:]+: install [^:]+ bring it\.\n$/

    const bringsItsOwn = 'test:24'
    for (const script of Object.keys(scripts).filter((name) => name !== bringsItsOwn)) {
      test(`npm run ${script} says so in one sentence`, () => {
        const run = spawnSync('npm', ['run', '--silent', script], { cwd: repository, env, encoding: 'utf8' })
        assert.match(run.stderr, sentence)
        assert.equal(run.stdout, '')
        assert.equal(run.status, 1)
      })
    }

    test('the command zaqar says so in one sentence', () => {
      const run = spawnSync(oldNode, ['packages/server/bin/zaqar.js', 'serve'], { cwd: repository, encoding: 'utf8' })
      assert.match(run.stderr, sentence)
      assert.equal(run.status, 1)
    })
  })

  describe('with the pinned one', () => {
    const repository = copyDoors(join(folder, 'pinned'))
    const bin = join(repository, 'node_modules', Object.keys(optionalDependencies)[0] ?? '', 'bin')
    mkdirSync(bin, { recursive: true })
    symlinkSync(process.execPath, join(bin, 'node'))

    test('a script runs on that, with its arguments and its exit code', () => {
      const script = join(folder, 'report.ts')
      writeFileSync(script, 'console.log(process.version, ...process.argv.slice(2))\nprocess.exitCode = 7 as number')
      const run = spawnSync(oldNode, ['tools/run.cjs', script, 'a', '--b'], { cwd: repository, encoding: 'utf8' })
      assert.equal(run.stdout, `${process.version} a --b\n`)
      assert.equal(run.status, 7)
    })

    test('a script is told to end when its parent is', async () => {
      const script = join(folder, 'wait.ts')
      writeFileSync(
        script,
        `setInterval(() => {}, 1000)
         process.on('SIGTERM', () => process.exit(5))
         console.log('waiting')`,
      )
      const run = spawn(oldNode, ['tools/run.cjs', script], { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] })
      await once(run.stdout, 'data')
      run.kill()
      assert.deepEqual(await once(run, 'exit'), [5, null])
    })
  })
})

/** What of the repository has to work on any Node. */
function copyDoors(repository: string): string {
  for (const path of ['package.json', 'tools/run.cjs', 'packages/server/package.json', 'packages/server/bin']) {
    cpSync(join(root, path), join(repository, path), { recursive: true })
  }
  return repository
}

/** The path without what npm puts in front of it for a script: the pinned Node is there. */
function systemPath(): string {
  const folders = process.env['PATH']?.split(delimiter) ?? []
  return folders.filter((name) => !name.includes('node_modules')).join(delimiter)
}
