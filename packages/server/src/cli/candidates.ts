/** What may stand where somebody is typing. */
import { addCommonFlags } from './ask.ts'
import { ZaqarCommand } from './command.ts'
import type { CommandRow } from './commands.ts'
import type { Shell } from './shell.ts'

/** A queue or topic belongs there: the service knows their names. */
export interface Place {
  readonly noun: 'queue' | 'topic'
  /** What of the name is there already. */
  readonly begun: string
}

/** `words` stand behind `zaqar`, whose commands these are; the last one is being typed, and may be empty. */
export async function candidatesFor(
  words: readonly string[],
  commands: readonly CommandRow[],
  shell: Shell,
): Promise<readonly string[] | Place> {
  const root = addCommonFlags(new ZaqarCommand('zaqar'))
  const at = words.findIndex((word, index) => !word.startsWith('-') && !takesValue(root, words[index - 1]))
  if (at === -1 || at === words.length - 1) {
    if (takesValue(root, words.at(-2))) return []
    return words.at(-1)?.startsWith('-') ? flagsOf(root) : commands.map(({ name }) => name)
  }
  const [first = '', ...rest] = words.slice(at)
  const row = commands.find(({ name }) => name === first)
  if (row === undefined) return []
  let command = new ZaqarCommand(first)
  await row.define(command, shell)
  const begun = rest.pop() as string
  let given = 0
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] as string
    const next = command.commands.find((one) => one.name() === word)
    if (takesValue(command, word)) {
      // Its value is what comes next; nobody here knows it.
      if (++index === rest.length) return []
    } else if (next !== undefined) command = next as ZaqarCommand
    else if (!word.startsWith('-')) given++
  }
  if (begun.startsWith('-')) return flagsOf(command)
  if (command.commands.length > 0)
    return command
      .createHelp()
      .visibleCommands(command)
      .map((one) => one.name())
  const { registeredArguments } = command
  // Of several names each is completed.
  const argument = (registeredArguments[given] ?? registeredArguments.findLast(({ variadic }) => variadic))?.name()
  if (argument === 'QUEUE' || (argument === 'NAME' && first === 'queue')) {
    const isTopic = rest.includes('--topic')
    return { noun: isTopic ? 'topic' : 'queue', begun }
  }
  return argument === 'NAME' && first === 'topic' ? { noun: 'topic', begun } : []
}

function takesValue(command: ZaqarCommand, flag: string | undefined): boolean {
  return command.options.some(({ long, required }) => long === flag && required)
}

function flagsOf(command: ZaqarCommand): string[] {
  return command.options.flatMap(({ long }) => long ?? [])
}

/** What the words say of the service that knows the names. */
export function typedFlags(words: readonly string[]): Record<string, unknown> {
  const root = addCommonFlags(new ZaqarCommand('zaqar'))
  root.parseOptions([...words])
  return root.opts()
}
