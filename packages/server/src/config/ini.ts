/**
 * Reads the INI form of oslo.config. A parser of our own, since packages for INI files know neither oslo's rules
 * (values that go on over indented lines, quotes, both `=` and `:`) nor at which line a value stands, and every
 * complaint about a configuration has to name file and line.
 */
export interface IniFile {
  readonly values: readonly IniValue[]
  readonly problems: readonly { readonly line: number; readonly message: string }[]
}

interface IniValue {
  readonly section: string
  readonly name: string
  /** Lines of a value that goes on are joined by line feeds. */
  readonly text: string
  /** Where the value begins, counted from 1. */
  readonly line: number
}

export function readIni(content: string): IniFile {
  const values: { section: string; name: string; text: string; line: number }[] = []
  const problems: { line: number; message: string }[] = []
  let section: string | null = null
  /** What an indented line belongs to: a value, or something that has been complained about already. */
  let open: { text: string } | null = null

  const lines = content.replace(/^\uFEFF/, '').split('\n')
  for (const [index, raw] of lines.entries()) {
    const line = index + 1
    const text = raw.trimEnd()
    const refuse = (message: string): void => {
      problems.push({ line, message })
      open = { text: '' }
    }
    if (text === '') {
      open = null
    } else if (/^[ \t]/.test(text)) {
      if (open === null) refuse('an indented line goes on with a value, but there is none before it')
      else open.text += `\n${text.trimStart()}`
    } else if (text.startsWith('#') || text.startsWith(';')) {
      open = null
    } else if (text.startsWith('[')) {
      open = null
      if (/^\[.+\]$/.test(text)) section = text.slice(1, -1)
      else refuse('a section is a name in brackets: [name]')
    } else {
      const assignment = /^([^:=]+)[:=](.*)$/.exec(text)
      // The line itself is not shown, it may hold a password.
      if (assignment === null) refuse('neither a [section] nor "name = value"')
      else if (section === null) refuse('a value stands before the first [section]')
      else {
        const [, name = '', rest = ''] = assignment
        const value = { section, name: name.trimEnd(), text: unquote(rest.trimStart()), line }
        values.push(value)
        open = value
      }
    }
  }
  return { values, problems }
}

function unquote(text: string): string {
  return /^(["']).*\1$/.test(text) && text.length > 1 ? text.slice(1, -1) : text
}
