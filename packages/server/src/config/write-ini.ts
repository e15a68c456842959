/** Writes values so that `readIni` reads them again as they were. */

/** A line `name = text`, and a further one, indented, for each line of the text behind its first. */
export function assignment(name: string, text: string): string {
  const [first = '', ...further] = text.split('\n')
  return [`${name} = ${quoted(first)}`.trimEnd(), ...further.map((line) => `    ${line}`)].join('\n')
}

/** In quotes where the reader would take something away: blanks at the ends, or quotes. */
function quoted(text: string): string {
  const isTaken = text !== text.trim() || /^(["']).*\1$/.test(text)
  return isTaken ? `"${text}"` : text
}

/** Text that stands for itself where `$name` refers to another option. */
export function withoutReferences(text: string): string {
  return text.replaceAll('$', '\\$')
}
