import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startOnSqlite } from '../support/pooled-service.ts'
import { startService } from '../support/service.ts'
import { blocksOf, commandsIn } from './page.ts'
import { openShell } from './shell.ts'

const main = join(import.meta.dirname, '../../packages/server/src/cli/main.ts')

/** Headings: test/keystone/command-line.test.ts registers, and pools have a test of their own. */
const ELSEWHERE = ['Registering in Keystone', 'Pools']

test('the commands of docs/command-line.md work in their order', async () => {
  const service = await startService()
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-command-line-'))
  const shell = openShell(folder, { ZAQAR_URL: service.url })
  try {
    await shell.run(`zaqar() { node ${main} "$@"; }`)
    const outputs = new Map<string, string>()
    const blocks = blocksOf('docs/command-line.md').filter(({ heading }) => !ELSEWHERE.includes(heading))
    for (const command of commandsIn(blocks)) outputs.set(command, await shell.run(command))
    const outputOf = (start: string) =>
      [...outputs].find(([command]) => command.startsWith(start))?.[1] ?? assert.fail(start)
    assert.match(
      outputOf('zaqar message list jobs'),
      /{"order":1}\n.*{"order":2}\n.*"hello"\n.*{"order":3}\n.*{"order":4}$/,
    )
    assert.match(outputOf('zaqar queue stats jobs'), /^total +5$/m)
    assert.equal(JSON.parse(outputOf('zaqar message pop jobs')).length, 2)
    assert.match(outputOf('zaqar tail jobs'), /"order":1}\n.*"order":3}$/)
    assert.match(outputOf('zaqar signed-url show'), /^methods +\["GET","POST"\]$/m)
  } finally {
    await shell.close()
    rmSync(folder, { recursive: true })
    await service.stop()
  }
})

test('the commands for pools of docs/command-line.md and docs/scale.md work', async () => {
  for (const [page, heading, pool] of [
    ['docs/command-line.md', 'Pools', 'pool-1'],
    ['docs/scale.md', 'To empty a pool, or share anew', 'east'],
  ] as const) {
    const service = await startOnSqlite(2)
    const folder = mkdtempSync(join(tmpdir(), 'zaqar-command-line-'))
    const shell = openShell(folder, { ZAQAR_URL: service.url })
    try {
      await shell.run(`zaqar() { node ${main} "$@"; }`)
      const [first, second] = service.uris
      await shell.run(`zaqar pool create ${pool} --uri ${first} --weight 1`)
      await shell.run('zaqar message post jobs hello')
      await shell.run(`zaqar pool create other --uri ${second} --weight 1`)
      const commands = commandsIn(blocksOf(page).filter((block) => block.heading === heading))
      assert.notEqual(commands.length, 0)
      for (const command of commands) await shell.run(command)
      assert.match(await shell.run('zaqar pool list'), /^NAME.*\nother .*$/)
      assert.match(await shell.run('zaqar message list jobs'), /"hello"$/)
    } finally {
      await shell.close()
      rmSync(folder, { recursive: true })
      await service.stop()
    }
  }
})
