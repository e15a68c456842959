import { type Command, Option } from 'commander'
import { flagRows } from '../config/find-option.ts'
import { type Flags, fileFlags } from '../config/flags.ts'
import type { Given } from '../config/sources.ts'

/**
 * Gives a command the flags that configure the service: those that say where files are, and those of the table of
 * options. What it answers is filled when the command line is read.
 */
export function addConfigFlags(command: Command): Flags {
  const files: string[] = []
  const folders: string[] = []
  const given: Given[] = []
  for (const { name, value, meaning } of fileFlags) {
    add(name, value, meaning, (path) => (name === 'config-file' ? files : folders).push(path))
  }
  for (const { flag, group, option } of flagRows) {
    const standard = flag.value === null || option.default === null ? '' : ` Default: ${option.default}`
    add(flag.name, flag.value, option.meaning + standard, (text) =>
      given.push({ group: group.name, name: option.name, text, origin: `--${flag.name}` }),
    )
  }
  return { files, folders, given }

  /** `take` gets what is given, each time; `true` for a flag without a value. */
  function add(name: string, value: string | null, meaning: string, take: (text: string) => void): void {
    command.addOption(new Option(value === null ? `--${name}` : `--${name} <${value}>`, meaning))
    command.on(`option:${name}`, (text = 'true') => {
      // What looks like a flag is one whose value was forgotten before it.
      if (text.startsWith('-')) command.error(`--${name} needs a value`)
      take(text)
    })
  }
}
