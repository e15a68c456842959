import { printable } from '../output/printable.ts'
import { widthOf } from '../output/width.ts'
import type { Output } from '../shell.ts'
import type { Finding, Severity } from './finding.ts'

const GAP = '  '
/** Between what is found and what to do. */
const ARROW = '-> '

/** A table whose texts are broken at the edge of a terminal; elsewhere each finding is one line. */
export function linesOf(
  findings: readonly Finding[],
  { isTTY, columns = 80 }: Pick<Output, 'isTTY' | 'columns'>,
): string[] {
  const severities = Math.max(...findings.map(({ severity }) => severity.length))
  const groups = Math.max(...findings.map(({ about }) => about.length))
  const indent = ' '.repeat(severities + groups + 2 * GAP.length)
  const room = isTTY ? Math.max(30, columns - indent.length) : Number.POSITIVE_INFINITY
  return findings.flatMap(({ severity, about, found, remedy }) => {
    const head = `${severity.padEnd(severities)}${GAP}${about.padEnd(groups)}${GAP}`
    const texts = remedy === null ? [found] : isTTY ? [found, `${ARROW}${remedy}`] : [`${found} ${ARROW}${remedy}`]
    const lines = texts.flatMap((text) => broken(printable(text), room))
    return lines.map((line, index) => (index === 0 ? head : indent) + line)
  })
}

/** `3 errors, 1 warning`. */
export function summaryOf(findings: readonly Finding[]): string {
  const counted = (['error', 'warning'] as const).map((severity) => {
    const count = countOf(findings, severity)
    return `${count} ${severity}${count === 1 ? '' : 's'}`
  })
  return counted.join(', ')
}

export function countOf(findings: readonly Finding[], severity: Severity): number {
  return findings.filter((finding) => finding.severity === severity).length
}

/** At blanks; a word that is longer than a line stays whole. */
function broken(text: string, room: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && widthOf(longer) > room) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}
