import { type Check, isMet, printCheck, type Question } from './check.ts'
import type { Rules } from './policy.ts'

/** A line for each part of a rule, with what came of it: why a decision is as it is. */
export function explain(name: string, rules: Rules, question: Question): string[] {
  const rule = rules.get(name)
  if (rule === undefined) return [`no   rule:${name}, which does not exist`]
  const place = rule.origin ?? 'default'
  return [
    line(isMet(rule.check, question), 0, `${name}: ${printCheck(rule.check)}   (${place})`),
    ...parts(rule.check, 1),
  ]

  function parts(check: Check, depth: number): string[] {
    if (check.kind === 'and' || check.kind === 'or') return check.checks.flatMap((one) => part(one, depth))
    if (check.kind === 'not') return part(check.check, depth)
    if (check.kind !== 'rule') return []
    const referred = rules.get(check.name)
    if (referred === undefined) return []
    const origin = referred.origin ?? 'default'
    const text = `${check.name}: ${printCheck(referred.check)}   (${origin})`
    return [line(isMet(referred.check, question), depth, text), ...parts(referred.check, depth + 1)]
  }

  function part(check: Check, depth: number): string[] {
    // What a rule stands for says more than its name.
    if (check.kind === 'rule' && rules.has(check.name)) return parts(check, depth)
    return [line(isMet(check, question), depth, printCheck(check)), ...parts(check, depth + 1)]
  }
}

function line(met: boolean, depth: number, text: string): string {
  return `${met ? 'yes' : 'no '}  ${'  '.repeat(depth)}${text}`
}
