/**
 * The rule of regular expressions: none in the sources of a package may take more than linear time, since most of them
 * are run over what strangers send, and one that backtracks stops the whole service. `node tools/check-expressions.ts`
 * prints every expression that breaks it and then exits with 1.
 *
 * Expressions are found by pattern, not by a parser: the formatter gives each of them a form that is matched here. The
 * analysis knows what one repeated character can do; beware of texts that repeat by yourself, as `%(%(%(` does to
 * `/%\([^)]*\)/g`.
 */
import { globSync, readFileSync } from 'node:fs'
import { analyse } from 'scslre'
import type { SourceFile } from './check-imports.ts'

/** Expressions that stay, each with its reason. */
const excused: Readonly<Record<string, string>> = {
  "new RegExp(pattern, 'u')": 'the one pattern of a schema that is run is PLAIN_TEXT: a class between both ends',
  '/\\{[^}]*\\}?|\\*\\*|\\*|[^{*]+/g': 'no part of it can fail once it has begun',
}

/** A sentence for every expression that the rule forbids, beginning with its place. */
export function slowExpressions(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    expressionsIn(text).flatMap(({ expression, line }) => {
      const objection = expression in excused ? null : objectionTo(expression)
      return objection === null ? [] : [`${path}:${line} ${expression}: ${objection}`]
    }),
  )
}

interface Found {
  readonly expression: string
  readonly line: number
}

/** A literal stands where a value can begin; what looks so in a text or a comment does no harm. */
export function expressionsIn(text: string): Found[] {
  const literal =
    /(?<=[([{=:,?!&|>] *|\breturn |^\s*)\/(?![/*\s])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/gm
  const made = /\bRegExp\([^\n]*?\)/g
  return [...text.matchAll(literal), ...text.matchAll(made)].map(({ 0: expression, index }) => ({
    expression: expression.startsWith('/') ? expression : `new ${expression}`,
    line: text.slice(0, index).split('\n').length,
  }))
}

function objectionTo(expression: string): string | null {
  const [, source, flags = ''] = /^\/(.+)\/([a-z]*)$/.exec(expression) ?? []
  if (source === undefined) return 'an expression made from text cannot be looked at; write a literal'
  const [report] = analyse({ source, flags }).reports
  return report === undefined ? null : `takes more than linear time over many ${JSON.stringify(report.character.pick)}`
}

if (import.meta.main) {
  const paths = globSync('packages/*/src/**/*.ts').map((path) => path.replaceAll('\\', '/'))
  const problems = slowExpressions(paths.map((path) => ({ path, text: readFileSync(path, 'utf8') })))
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
}
