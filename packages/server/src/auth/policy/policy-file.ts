import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import type { Check } from './check.ts'
import { parseRule } from './parse-check.ts'
import { PolicyProblem } from './template.ts'

/** A rule of a policy file. */
export interface FileRule {
  readonly name: string
  readonly check: Check
  /** `FILE:LINE`. */
  readonly origin: string
}

export interface PolicyFile {
  readonly rules: readonly FileRule[]
  /** Each with its place. */
  readonly problems: readonly string[]
}

/** Reads YAML, of which JSON is a part. */
export function parsePolicyFile(path: string, content: string): PolicyFile {
  const lines = new LineCounter()
  const at = (offset: number): string => `${path}:${lines.linePos(offset).line}`
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    return { rules: [], problems: document.errors.map(({ pos, message }) => `${at(pos[0])}: ${message}`) }
  }
  const root = document.contents
  // All lines of a file may be comments.
  if (root === null || (isScalar(root) && root.value === null)) return { rules: [], problems: [] }
  if (!isMap(root)) return { rules: [], problems: [`${path}: a policy file holds lines of the form "name": "rule"`] }
  const rules: FileRule[] = []
  const problems: string[] = []
  for (const { key, value } of root.items) {
    const name = isScalar(key) && typeof key.value === 'string' ? key.value : null
    const origin = at((key as Node).range?.[0] ?? 0)
    if (name === null) problems.push(`${origin}: the name of a rule is a text`)
    else {
      try {
        const source = value === null ? null : (value as Node).toJS(document)
        rules.push({ name, check: parseRule(source), origin })
      } catch (error) {
        if (!(error instanceof PolicyProblem)) throw error
        problems.push(`${origin}: ${name}: ${error.message}`)
      }
    }
  }
  return { rules, problems }
}
