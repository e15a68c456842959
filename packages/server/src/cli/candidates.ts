/** What may stand where somebody is typing. */
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
  const [first, ...rest] = words
  if (first === undefined || rest.length === 0) return commands.map(({ name }) => name)
  const row = commands.find(({ name }) => name === first)
  if (row === undefined) return []
  let command = new ZaqarCommand(first)
  await row.define(command, shell)
  const begun = rest.pop() as string
  let given = 0
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] as string
    const option = command.options.find((one) => one.long === word)
    const next = command.commands.find((one) => one.name() === word)
    if (option?.required) {
      // Its value is what comes next; nobody here knows it.
      if (++index === rest.length) return []
    } else if (next !== undefined) command = next as ZaqarCommand
    else if (!word.startsWith('-')) given++
  }
  if (begun.startsWith('-')) return command.options.flatMap(({ long }) => long ?? [])
  if (command.commands.length > 0)
    return command
      .createHelp()
      .visibleCommands(command)
      .map((one) => one.name())
  const argument = command.registeredArguments[given]?.name()
  if (argument === 'QUEUE' || (argument === 'NAME' && first === 'queue')) {
    const isTopic = rest.includes('--topic')
    return { noun: isTopic ? 'topic' : 'queue', begun }
  }
  return argument === 'NAME' && first === 'topic' ? { noun: 'topic', begun } : []
}
