import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { installZaqar } from '../support/command.ts'
import { startService } from '../support/service.ts'
import { blocksOf, commandsIn } from './page.ts'
import { openShell } from './shell.ts'

test('the commands of docs/agents.md work in their order', async () => {
  const service = await startService()
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-agents-'))
  symlinkSync(join(import.meta.dirname, '../../examples'), join(folder, 'examples'))
  const shell = openShell(folder, { ZAQAR_URL: service.url })
  try {
    await shell.run(`PATH=${installZaqar(folder)}:$PATH`)
    const blocks = blocksOf('docs/agents.md')
    const outputs = new Map<string, string>()
    for (const command of commandsIn(blocks)) outputs.set(command, await shell.run(command))
    assert.match(outputs.get('zaqar signed-url show web-1.json') ?? '', /^reply +\{"queue":"web-1-outcomes",/m)
    const { body } = JSON.parse(outputs.get('zaqar tail web-1-outcomes --from start --count 1 --json') ?? '')
    assert.partialDeepStrictEqual(body, { queue: 'web-1-jobs', exit_code: 0, attempt: 1 })
    assert.match(body.stdout, /^Linux /)
    const example = blocks.find(({ language }) => language === 'json')?.text ?? ''
    assert.deepEqual(Object.keys(body), Object.keys(JSON.parse(example)))
  } finally {
    await shell.close()
    rmSync(folder, { recursive: true })
    await service.stop()
  }
})
