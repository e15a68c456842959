import { type Check, referencesOf } from './check.ts'
import { type DefaultSet, defaultRules, OPERATION_RULES } from './default-rules.ts'
import { parseRule } from './parse-check.ts'
import type { FileRule } from './policy-file.ts'

/** A rule in force. */
export interface Rule {
  readonly name: string
  readonly check: Check
  /** `FILE:LINE`; null for a default. */
  readonly origin: string | null
}

export interface RuleSet {
  readonly rules: ReadonlyMap<string, Rule>
  /** Why the rules must not be used. Each with its place. */
  readonly problems: readonly string[]
  /** What may be a mistake. */
  readonly warnings: readonly string[]
}

export interface RuleSetParts {
  readonly defaults: DefaultSet
  /** In rising order of precedence. */
  readonly fileRules: readonly FileRule[]
  /** Name of the rule that stands in for one that is referred to and missing. */
  readonly fallback: string
}

export function createRuleSet({ defaults, fileRules, fallback }: RuleSetParts): RuleSet {
  const rules = new Map<string, Rule>()
  for (const { name, rule } of defaultRules(defaults)) rules.set(name, { name, check: parseRule(rule), origin: null })
  for (const rule of fileRules) rules.set(rule.name, rule)
  const standIn = rules.get(fallback)
  const problems: string[] = []
  const used = new Set<string>([...OPERATION_RULES, fallback])
  for (const rule of [...rules.values()]) {
    for (const name of referencesOf(rule.check)) {
      used.add(name)
      if (rules.has(name)) continue
      if (standIn === undefined) problems.push(`${placeOf(rule)}: it refers to rule:${name}, which does not exist`)
      else rules.set(name, { ...standIn, name })
    }
  }
  for (const rule of rules.values()) {
    const circle = circleFrom(rule.name, rules)
    if (circle !== null) problems.push(`${placeOf(rule)}: it refers to itself, by ${circle.join(', ')}`)
  }
  const warnings = fileRules
    .filter(({ name }) => name.includes(':') && !used.has(name))
    .map((rule) => `${placeOf(rule)}: there is no such operation, and no rule refers to it`)
  return { rules, problems, warnings }
}

function placeOf({ name, origin }: Pick<Rule, 'name' | 'origin'>): string {
  return `${origin ?? 'default rule'}: ${name}`
}

/** The way from a rule back to itself, or null. */
function circleFrom(start: string, rules: ReadonlyMap<string, Rule>): readonly string[] | null {
  const seen = new Set<string>()
  const walk = (name: string, trail: readonly string[]): readonly string[] | null => {
    for (const next of referencesOf(rules.get(name)?.check ?? { kind: 'never' })) {
      if (next === start) return [...trail, next]
      if (seen.has(next)) continue
      seen.add(next)
      const circle = walk(next, [...trail, next])
      if (circle !== null) return circle
    }
    return null
  }
  return walk(start, [start])
}
