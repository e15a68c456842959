/** The commands `zaqar policy list` and `zaqar policy check`. */
import { homedir } from 'node:os'
import { printCheck } from '../auth/policy/check.ts'
import { explain } from '../auth/policy/explain.ts'
import { decide, questionOf, type Rules } from '../auth/policy/policy.ts'
import { PolicyError } from '../auth/policy/policy-error.ts'
import { readPolicy } from '../auth/policy/policy-source.ts'
import { UsageError } from '../config/flags.ts'
import { loadConfig } from '../config/load.ts'
import type { Caller } from '../core/execute.ts'
import { NOBODY } from '../core/identity.ts'
import { EVERYTHING } from '../core/rules/scope.ts'
import { diskFiles } from '../platform/disk-files.ts'

const FLAGS = ['rule', 'roles', 'project', 'user', 'signed'] as const
type Flag = (typeof FLAGS)[number]

/** Answers the text to print, and whether the caller is admitted. */
export function policyCommand([command, ...argv]: readonly string[]): { text: string; admitted: boolean } {
  const { own, rest } = splitFlags(argv)
  if (command === 'list' && own.size === 0) return { text: list(rulesInForce(rest)), admitted: true }
  const rule = own.get('rule')
  if (command !== 'check' || rule === undefined) {
    throw new UsageError('after policy comes list, or check with --rule NAME')
  }
  return check(rulesInForce(rest), rule, callerOf(own))
}

function list(rules: Rules): string {
  const width = Math.max(...[...rules.keys()].map((name) => name.length))
  return [...rules.values()]
    .map(({ name, check, origin }) => `${name.padEnd(width)}  ${printCheck(check)}   (${origin ?? 'default'})\n`)
    .join('')
}

function check(rules: Rules, rule: string, caller: Caller): { text: string; admitted: boolean } {
  const admitted = decide(rules, rule, caller)
  const lines = [admitted ? 'allowed' : 'denied', ...explain(rule, rules, questionOf(rules, caller))]
  return { text: `${lines.join('\n')}\n`, admitted }
}

function callerOf(own: ReadonlyMap<Flag, string>): Caller {
  const isSigned = own.get('signed') === 'yes'
  const roles = (own.get('roles') ?? '').split(',').flatMap((role) => role.trim().toLowerCase() || [])
  return {
    ...NOBODY,
    project: own.get('project') ?? '',
    userId: own.get('user') ?? null,
    roles: isSigned ? [] : roles,
    scope: isSigned ? { ...EVERYTHING, signed: { methods: [], paths: [] } } : EVERYTHING,
    clientId: '',
  }
}

function rulesInForce(argv: readonly string[]): Rules {
  const { config, folders } = loadConfig({ argv, env: process.env, homeDir: homedir(), files: diskFiles })
  const { rules, problems } = readPolicy({ ...config.policy, places: folders }, diskFiles)
  if (problems.length > 0) throw new PolicyError(problems)
  return rules
}

/** The flags of these commands; the rest is for the configuration. */
function splitFlags(argv: readonly string[]): { own: Map<Flag, string>; rest: string[] } {
  const own = new Map<Flag, string>()
  const rest: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const [name = '', inline] = (argv[index] as string).split(/=(.*)/s)
    const flag = FLAGS.find((one) => name === `--${one}`)
    if (flag === undefined) rest.push(argv[index] as string)
    else {
      const value = inline ?? argv[++index]
      if (value === undefined) throw new UsageError(`${name} needs a value`)
      own.set(flag, value)
    }
  }
  return { own, rest }
}
