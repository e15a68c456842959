import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZaqarCommand } from '../../packages/server/src/cli/command.ts'
import { commands } from '../../packages/server/src/cli/commands.ts'
import { processShell } from '../../packages/server/src/cli/shell.ts'
import { runHere } from './run-here.ts'

/** They run something, or print a text of their own. */
const WITHOUT_JSON = ['serve', 'agent', 'completion bash', 'completion zsh', 'completion fish']

/** The names of a command that does something, and of those in it. */
function leavesOf(command: ZaqarCommand, names: readonly string[]): string[][] {
  if (command.commands.length === 0) return [[...names]]
  return command.commands.flatMap((one) => leavesOf(one as ZaqarCommand, [...names, one.name()]))
}

for (const { name, define } of commands) {
  test(`zaqar ${name}: all its help has examples, and what prints something prints JSON`, async () => {
    const command = new ZaqarCommand(name)
    await define(command, processShell())
    for (const names of leavesOf(command, [name])) {
      const { code, stdout } = await runHere([...names, '--help'])
      assert.equal(code, 0)
      const [example = ''] = /(?<=\nExamples:\n).+/.exec(stdout) ?? []
      assert.ok(example.includes(`zaqar ${names.join(' ')}`), `${names.join(' ')}: ${example}`)
      assert.equal(stdout.includes('--json'), !WITHOUT_JSON.includes(names.join(' ')), names.join(' '))
    }
  })
}
