import type { Caller } from '../../core/execute.ts'
import type { Clock } from '../../platform/clock.ts'
import { watchForChanges } from '../../platform/watch-for-changes.ts'
import { isMet, type Question } from './check.ts'
import { credentialsOf } from './credentials.ts'
import { PolicyError } from './policy-error.ts'
import { type PolicyFiles, type PolicySettings, readPolicy, stampOf } from './policy-source.ts'
import type { Rule } from './rule-set.ts'

export type Rules = ReadonlyMap<string, Rule>

/** Told of what an operator should know: rules that changed, rules that cannot be used. */
export interface PolicyReports {
  warned(warning: string): void
  reloaded(paths: readonly string[]): void
  /** The rules in force stay as they were. Told once, and again when files change and it is not over. */
  refused(problems: readonly string[]): void
}

/**
 * Who may do what, by rules that are read again when their files change. Where a file that had rules has none any more,
 * or is gone, those in force stay.
 */
export interface Policy {
  /** Whether the caller may do what that rule guards. A rule that does not exist admits nobody. */
  authorise(permission: string, caller: Caller): boolean
  /** Stops looking for changes. */
  close(): void
}

export interface PolicyParts {
  readonly files: PolicyFiles
  readonly clock: Clock
  readonly reports: PolicyReports
  /** Files whose rules were in force before, in a process whose place this one takes. */
  readonly needed?: readonly string[]
}

/** @throws PolicyError */
export function openPolicy(settings: PolicySettings, { files, clock, reports, needed }: PolicyParts): Policy {
  const stamp = () => stampOf(settings, files)
  const since = stamp()
  const first = readPolicy(settings, files, needed)
  if (first.problems.length > 0) throw new PolicyError(first.problems)
  for (const warning of first.warnings) reports.warned(warning)
  let { rules, sources } = first

  const changed = (): void => {
    const latest = readPolicy(settings, files, sources)
    if (latest.problems.length > 0) reports.refused(latest.problems)
    else {
      rules = latest.rules
      sources = latest.sources
      reports.reloaded(latest.paths)
      for (const warning of latest.warnings) reports.warned(warning)
    }
  }
  const failed = (error: unknown): void => reports.refused([String(error)])
  const watching = watchForChanges({ clock, stamp, since, changed, failed })
  return {
    authorise: (permission, caller) => decide(rules, permission, caller),
    close: () => watching.cancel(),
  }
}

export function decide(rules: Rules, permission: string, caller: Caller): boolean {
  const rule = rules.get(permission)
  if (rule === undefined) return false
  // Most rules admit everybody; nothing need be made for them.
  return rule.check.kind === 'always' || isMet(rule.check, questionOf(rules, caller))
}

/** What a rule is asked about: the caller, and as target its project, for upstream names nothing else either. */
export function questionOf(rules: Rules, caller: Caller): Question {
  const rule = (name: string) => rules.get(name)?.check
  const target = { project_id: caller.project }
  const question = {
    target,
    rule,
    credentials: credentialsOf(caller, () => {
      const check = rule('context_is_admin')
      // A rule for administrators that asks whether somebody is one would never come to an end.
      const inner = { target, rule, credentials: credentialsOf(caller, () => false) }
      return check !== undefined && isMet(check, inner)
    }),
  }
  return question
}
