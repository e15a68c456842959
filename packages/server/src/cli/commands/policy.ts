import { printCheck } from '../../auth/policy/check.ts'
import { explain } from '../../auth/policy/explain.ts'
import { decide, questionOf, type Rules } from '../../auth/policy/policy.ts'
import { PolicyError } from '../../auth/policy/policy-error.ts'
import { readPolicy } from '../../auth/policy/policy-source.ts'
import type { Flags } from '../../config/flags.ts'
import { loadConfig } from '../../config/load.ts'
import type { Caller } from '../../core/execute.ts'
import { NOBODY } from '../../core/identity.ts'
import { EVERYTHING } from '../../core/rules/scope.ts'
import { diskFiles } from '../../platform/disk-files.ts'
import type { ZaqarCommand } from '../command.ts'
import { addConfigFlags } from '../config-flags.ts'
import { EXIT } from '../exit.ts'
import type { Shell } from '../shell.ts'

export function definePolicy(command: ZaqarCommand, shell: Shell): void {
  command.description('Who may do what, by the rules of the service.')
  defineList(command.command('list'), shell)
  defineCheck(command.command('check'), shell)
}

function defineList(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Prints the rules in force, and where they come from.')
    .option('--json', 'One JSON document.')
    .examples('zaqar policy list', 'zaqar policy list --config-file /etc/zaqar/zaqar.conf --json')
  const flags = addConfigFlags(command)
  command.action(({ json }: { json?: true }) => {
    const rules = [...rulesInForce(flags, shell).values()].map(({ name, check, origin }) => ({
      name,
      check: printCheck(check),
      origin: origin ?? 'default',
    }))
    const width = Math.max(...rules.map(({ name }) => name.length))
    const lines = rules.map(({ name, check, origin }) => `${name.padEnd(width)}  ${check}   (${origin})\n`)
    shell.stdout.write(json ? `${JSON.stringify(rules)}\n` : lines.join(''))
  })
}

interface CheckFlags {
  readonly rule: string
  readonly roles?: string
  readonly project?: string
  readonly user?: string
  readonly signed?: true
  readonly json?: true
}

function defineCheck(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Says whether somebody may do what a rule guards, and why. Ends with 1 when not.')
    .requiredOption('--rule <NAME>', 'Name of the rule, such as queues:create.')
    .option('--roles <A,B>', 'Roles of the caller.')
    .option('--project <ID>', 'Project of the caller.')
    .option('--user <ID>', 'Id of the caller.')
    .option('--signed', 'The caller comes with a signed URL, hence without roles.')
    .option('--json', 'One JSON document.')
    .examples('zaqar policy check --rule queues:create --roles member')
  const flags = addConfigFlags(command)
  command.action(({ rule, json, ...caller }: CheckFlags) => {
    const rules = rulesInForce(flags, shell)
    const question = callerOf(caller)
    const allowed = decide(rules, rule, question)
    const reasons = explain(rule, rules, questionOf(rules, question))
    const lines = [allowed ? 'allowed' : 'denied', ...reasons].map((line) => `${line}\n`)
    shell.stdout.write(json ? `${JSON.stringify({ allowed, reasons })}\n` : lines.join(''))
    if (!allowed) shell.exitCode = EXIT.failed
  })
}

function callerOf({ roles = '', project = '', user, signed }: Omit<CheckFlags, 'rule' | 'json'>): Caller {
  return {
    ...NOBODY,
    project,
    userId: user ?? null,
    roles: signed ? [] : roles.split(',').flatMap((role) => role.trim().toLowerCase() || []),
    scope: signed ? { ...EVERYTHING, signed: { methods: [], paths: [] } } : EVERYTHING,
    clientId: '',
  }
}

function rulesInForce(flags: Flags, { env, homeDir }: Shell): Rules {
  const { config, folders } = loadConfig({ flags, env, homeDir, files: diskFiles })
  const { rules, problems } = readPolicy({ ...config.policy, places: folders }, diskFiles)
  if (problems.length > 0) throw new PolicyError(problems)
  return rules
}
