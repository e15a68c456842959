/** The command line flags of `zaqar serve`. All but those for files are rows of the table of options. */
import { parseArgs } from 'node:util'
import { flagRows } from './find-option.ts'
import { nearest } from './nearest.ts'
import type { Given } from './sources.ts'

/** The command line is not understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface Flags {
  readonly files: readonly string[]
  readonly folders: readonly string[]
  readonly given: readonly Given[]
}

/** Flags that say where configuration files are. */
export const fileFlags = [
  { name: 'config-file', value: 'FILE', meaning: 'Read this file; may be repeated, later files win.' },
  { name: 'config-dir', value: 'DIR', meaning: 'Read the *.conf files of this folder, by name, after the files.' },
] as const

export function readFlags(argv: readonly string[]): Flags {
  const files: string[] = []
  const folders: string[] = []
  const given: Given[] = []
  for (const { name, text } of tokens(argv)) {
    const row = flagRows.find(({ flag }) => flag.name === name)
    if (row !== undefined) given.push({ group: row.group.name, name: row.option.name, text, origin: `--${name}` })
    else if (name === 'config-file') files.push(text)
    else folders.push(text)
  }
  return { files, folders, given }
}

/** The flags in order, each known and with its value. Flags that stand alone have the value `true`. */
function tokens(argv: readonly string[]): { name: string; text: string }[] {
  const takesValue = new Map<string, boolean>([
    ...fileFlags.map(({ name }) => [name, true] as const),
    ...flagRows.map(({ flag }) => [flag.name, flag.value !== null] as const),
  ])
  const options = Object.fromEntries(
    [...takesValue].map(([name, takes]) => [name, { type: takes ? ('string' as const) : ('boolean' as const) }]),
  )
  // Not strict, for the complaints of our own: parseArgs would stop at the first error, in the words of a programmer.
  const parsed = parseArgs({ args: [...argv], options, strict: false, tokens: true, allowPositionals: true })
  return parsed.tokens.flatMap((token) => {
    if (token.kind === 'option-terminator') return []
    if (token.kind === 'positional') throw new UsageError(`"${token.value}" is not understood`)
    const takes = takesValue.get(token.name)
    if (takes === undefined) {
      const suggestion = nearest(token.name, takesValue.keys())
      const hint = suggestion === null ? '' : `; did you mean --${suggestion}?`
      throw new UsageError(`there is no flag ${token.rawName}${hint}`)
    }
    // A value that looks like a flag is a forgotten value, unless it is written --flag=value.
    const isMissing = token.value === undefined || (!token.inlineValue && token.value.startsWith('-'))
    if (takes && isMissing) throw new UsageError(`--${token.name} needs a value`)
    if (!takes && token.value !== undefined) throw new UsageError(`--${token.name} takes no value`)
    return [{ name: token.name, text: token.value ?? 'true' }]
  })
}
