/**
 * Finds texts of the console's table that no page shows: types cannot. `node tools/check-texts.ts` prints each and then
 * exits with 1.
 *
 * Uses are found by their form, not by a parser: a page calls the section that it reads from `words`, or says
 * `text.section`, and picks from it by name, by `{ name } =`, or by a name in quotes where it says `words[...]`.
 */
import { globSync, readFileSync } from 'node:fs'
import { text } from '../packages/console/src/text.ts'

/** Answers the paths of entries that none of the sources uses: `claims.take`. */
export function unusedTexts(table: object, sources: readonly string[]): string[] {
  return Object.entries(table).flatMap(([section, entry]) => {
    if (isLeaf(entry)) return isPicked(section, 'text', sources) ? [] : [section]
    const readers = sources.filter((source) => has(source, `text\\.${section}\\b`))
    return unusedIn(entry, section, `(?:text\\.${section}|words)`, readers)
  })
}

/** `from`: a pattern of what pages call the part of the table. */
function unusedIn(part: object, path: string, from: string, sources: readonly string[]): string[] {
  return Object.entries(part).flatMap(([name, entry]) => {
    const own = `${path}.${name}`
    if (isLeaf(entry)) return isPicked(name, from, sources) ? [] : [own]
    const whole = `${from}\\.${name}\\b(?!\\.)`
    return sources.some((source) => has(source, whole)) ? [] : unusedIn(entry, own, `${from}\\.${name}`, sources)
  })
}

function isPicked(name: string, from: string, sources: readonly string[]): boolean {
  const byName = `\\b${from}\\.${name}\\b`
  const takenOut = `\\{[^{}]*\\b${name}\\b[^{}]*\\} = ${from}\\b(?!\\.)`
  return sources.some(
    (source) =>
      has(source, byName) || has(source, takenOut) || (has(source, `\\b${from}\\[`) && source.includes(`'${name}'`)),
  )
}

function isLeaf(entry: unknown): boolean {
  return typeof entry !== 'object'
}

function has(source: string, pattern: string): boolean {
  return new RegExp(pattern).test(source)
}

if (import.meta.main) {
  const sources = globSync('packages/console/src/**/*.{ts,tsx}')
    .filter((file) => !file.endsWith('src/text.ts'))
    .map((file) => readFileSync(file, 'utf8'))
  const unused = unusedTexts(text, sources)
  for (const path of unused) console.error(`packages/console/src/text.ts: no page shows ${path}`)
  process.exitCode = unused.length > 0 ? 1 : 0
}
