/** A table in two forms: aligned text for a terminal, and Markdown. Columns that hold figures are aligned right. */
export interface Table {
  readonly title: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** How many columns at the left hold words. */
  readonly words: number
}

export function toText({ title, header, rows, words }: Table): string {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column < words ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [title, '', line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

export function toMarkdown({ title, header, rows, words }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = header.map((_, column) => (column < words ? '---' : '---:'))
  return [`### ${title}`, '', line(header), line(rule), ...rows.map(line)].join('\n')
}
