import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startService } from '../support/service.ts'
import { assertOptionsTaken } from './options.ts'
import { blocksOf, commandsIn } from './page.ts'
import { openShell } from './shell.ts'
import { answerOf, patternOf } from './shown.ts'

const blocks = blocksOf('docs/websocket.md')
const ANYTHING = /.*/
/** Commands that change nothing. */
const LOOKS = /^(last|cat) /

test('the commands of docs/websocket.md print what stands below them', async (t) => {
  // Stays when the test fails.
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-tour-'))
  const program = blocks.find(({ text }) => text.startsWith('// socket.mjs\n'))
  writeFileSync(join(folder, 'socket.mjs'), program?.text ?? assert.fail('the page has no program'))
  const service = await startService()
  t.after(() => service.kill())
  const shell = openShell(folder, { ZAQAR: service.url })
  t.after(() => shell.close())
  let shown = 0
  for (const block of blocks) {
    const commands = commandsIn([block])
    for (const [i, command] of commands.entries()) {
      const isShown = i === commands.length - 1 && block.shown !== null
      const wanted = isShown ? patternOf(block.shown ?? '') : ANYTHING
      assert.match(await answerOf(shell, command, wanted, LOOKS), wanted, command)
      if (isShown) shown++
    }
  }
  assert.equal(shown, 6)
  await service.stop()
  rmSync(folder, { recursive: true })
})

test('the options in docs/websocket.md are taken', () => {
  assertOptionsTaken(blocks, 2)
})
