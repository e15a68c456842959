import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startService } from '../support/service.ts'
import { blocksOf, commandsIn } from './page.ts'
import { openShell } from './shell.ts'

const main = join(import.meta.dirname, '../../packages/server/src/cli/main.ts')

// test/keystone/command-line.test.ts registers.
test('the commands of docs/command-line.md work in their order', async () => {
  const service = await startService()
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-command-line-'))
  const shell = openShell(folder, { ZAQAR_URL: service.url })
  try {
    await shell.run(`zaqar() { node ${main} "$@"; }`)
    const outputs = new Map<string, string>()
    const blocks = blocksOf('docs/command-line.md').filter(({ heading }) => heading !== 'Registering in Keystone')
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
