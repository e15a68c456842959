/** A rule of the policy language as a tree, and its meaning. (oslo.policy) */
import { fillTemplate, printTemplate, type Target, type Template } from './template.ts'

export type Check =
  | { readonly kind: 'always' | 'never' }
  /** Another rule decides. */
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'role'; readonly match: Template }
  /** `'text':match`, `True:match`, `1:match`. */
  | { readonly kind: 'literal'; readonly source: string; readonly value: string; readonly match: Template }
  /** `user_id:match`: an attribute of the caller's credentials. */
  | { readonly kind: 'credential'; readonly name: string; readonly match: Template }
  | { readonly kind: 'not'; readonly check: Check }
  | { readonly kind: 'and' | 'or'; readonly checks: readonly Check[] }

/** What rules can know about a caller. */
export interface Credentials {
  /** In lower case. */
  readonly roles: readonly string[]
  /** As Python prints it: `None` for what is not known, `True`, `False`. Undefined when there is no such attribute. */
  attribute(name: string): string | readonly string[] | undefined
}

export interface Question {
  readonly credentials: Credentials
  readonly target: Target
  /** The check of a rule; undefined when there is none. */
  rule(name: string): Check | undefined
}

export function isMet(check: Check, question: Question): boolean {
  switch (check.kind) {
    case 'always':
      return true
    case 'never':
      return false
    case 'rule': {
      const rule = question.rule(check.name)
      return rule !== undefined && isMet(rule, question)
    }
    case 'role': {
      const role = fillTemplate(check.match, question.target)
      return role !== null && question.credentials.roles.includes(role.toLowerCase())
    }
    case 'literal':
      return check.value === fillTemplate(check.match, question.target)
    case 'credential': {
      const value = question.credentials.attribute(check.name)
      const wanted = fillTemplate(check.match, question.target)
      if (value === undefined || wanted === null) return false
      return typeof value === 'string' ? value === wanted : value.includes(wanted)
    }
    case 'not':
      return !isMet(check.check, question)
    case 'and':
      return check.checks.every((one) => isMet(one, question))
    case 'or':
      return check.checks.some((one) => isMet(one, question))
  }
}

/** The check in the policy language. */
export function printCheck(check: Check): string {
  switch (check.kind) {
    case 'always':
      return '@'
    case 'never':
      return '!'
    case 'rule':
      return `rule:${check.name}`
    case 'role':
      return `role:${printTemplate(check.match)}`
    case 'literal':
      return `${check.source}:${printTemplate(check.match)}`
    case 'credential':
      return `${check.name}:${printTemplate(check.match)}`
    case 'not':
      return `not ${printOperand(check.check)}`
    case 'and':
    case 'or':
      return check.checks.map(printOperand).join(` ${check.kind} `)
  }
}

function printOperand(check: Check): string {
  return check.kind === 'and' || check.kind === 'or' ? `(${printCheck(check)})` : printCheck(check)
}

/** The names of the rules that a check refers to. */
export function referencesOf(check: Check): readonly string[] {
  if (check.kind === 'rule') return [check.name]
  if (check.kind === 'not') return referencesOf(check.check)
  return check.kind === 'and' || check.kind === 'or' ? check.checks.flatMap(referencesOf) : []
}
