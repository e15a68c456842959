/** Reads the policy language of oslo.policy: `not` binds closest, then `and`, then `or`. */
import type { Check } from './check.ts'
import { PolicyProblem, parseTemplate } from './template.ts'

/**
 * A rule as a policy file has it: a text, or the older form, a list of alternatives, each a check or a list of checks
 * that must all be met.
 * @throws PolicyProblem
 */
export function parseRule(rule: unknown): Check {
  if (typeof rule === 'string') return parseText(rule)
  if (Array.isArray(rule)) return parseAlternatives(rule)
  throw new PolicyProblem('a rule is a text or a list; "" admits everybody, "!" nobody')
}

function parseAlternatives(alternatives: readonly unknown[]): Check {
  if (alternatives.length === 0) return { kind: 'always' }
  const checks = alternatives.flatMap((alternative) => {
    const texts: readonly unknown[] = Array.isArray(alternative) ? alternative : [alternative]
    return texts.length === 0 ? [] : [join('and', texts.map(parseListed))]
  })
  return checks.length === 0 ? { kind: 'never' } : join('or', checks)
}

function parseListed(text: unknown): Check {
  if (typeof text === 'string') return parseSingle(text)
  throw new PolicyProblem('in a list of lists stand texts')
}

function parseText(text: string): Check {
  const tokens = tokenize(text)
  if (tokens.length === 0) {
    if (text === '') return { kind: 'always' }
    throw new PolicyProblem('a rule of blanks means nothing; "" admits everybody, "!" nobody')
  }
  const reader = { tokens, next: 0 }
  const check = readOr(reader)
  const rest = tokens[reader.next]
  if (rest !== undefined) throw new PolicyProblem(`"${rest}" does not fit where it stands`)
  return check
}

/** Parentheses count at the beginning and the end of words only: `%(name)s` has some of its own. */
function tokenize(text: string): string[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .flatMap((word) => {
      let [start, end] = [0, word.length]
      while (word[start] === '(') start++
      while (end > start && word[end - 1] === ')') end--
      const inner = word.slice(start, end)
      return [...word.slice(0, start), ...(inner === '' ? [] : [inner]), ...word.slice(end)]
    })
}

interface Reader {
  readonly tokens: readonly string[]
  next: number
}

function readOr(reader: Reader): Check {
  return readJoined(reader, 'or', (one) => readJoined(one, 'and', readOperand))
}

function readJoined(reader: Reader, word: 'and' | 'or', read: (reader: Reader) => Check): Check {
  const checks = [read(reader)]
  while (peek(reader) === word) {
    reader.next++
    checks.push(read(reader))
  }
  return join(word, checks)
}

function readOperand(reader: Reader): Check {
  const word = peek(reader)
  const token = reader.tokens[reader.next++]
  if (token === undefined) throw new PolicyProblem('the rule ends where a check is missing')
  if (word === 'not') return { kind: 'not', check: readOperand(reader) }
  if (word === 'and' || word === 'or' || word === ')') throw new PolicyProblem(`a check is missing before "${token}"`)
  if (word !== '(') return parseSingle(token)
  const inner = readOr(reader)
  if (reader.tokens[reader.next++] !== ')') throw new PolicyProblem('a closing parenthesis is missing')
  return inner
}

/** The operators count without case. */
function peek({ tokens, next }: Reader): string | undefined {
  return tokens[next]?.toLowerCase()
}

function join(kind: 'and' | 'or', checks: readonly Check[]): Check {
  const [first] = checks
  return first !== undefined && checks.length === 1 ? first : { kind, checks }
}

function parseSingle(text: string): Check {
  if (text === '@') return { kind: 'always' }
  if (text === '!') return { kind: 'never' }
  const colon = text.indexOf(':')
  if (colon < 0) throw new PolicyProblem(`"${text}" is no check: those are written kind:match, @ or !`)
  const name = text.slice(0, colon)
  const match = text.slice(colon + 1)
  if (name === 'rule') return { kind: 'rule', name: match }
  if (name === 'http' || name === 'https') {
    throw new PolicyProblem(`"${text}": no other server is asked; write what it would decide as a rule`)
  }
  const template = parseTemplate(match)
  // Roles are kept in lower case, and oslo.policy compares them so wherever it knows them for roles.
  if (name === 'role' || name === 'roles') return { kind: 'role', match: template }
  const value = literal(name)
  return value === null
    ? { kind: 'credential', name, match: template }
    : { kind: 'literal', source: name, value, match: template }
}

/** The value of a Python literal as Python prints it, or null when the text is none. */
function literal(text: string): string | null {
  if (['True', 'False', 'None'].includes(text)) return text
  const quoted = /^(['"])([^\\]*)\1$/.exec(text)
  if (quoted !== null && !quoted[2]?.includes(quoted[1] as string)) return quoted[2] as string
  return /^(0|-?[1-9]\d*)$/.test(text) ? text : null
}
