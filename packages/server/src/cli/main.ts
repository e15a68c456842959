#!/usr/bin/env node
import { PolicyError } from '../auth/policy/policy-error.ts'
/** The command `zaqar`. */
import { describeOptions, documentOptions } from '../config/document.ts'
import { UsageError } from '../config/flags.ts'
import { ConfigError } from '../config/load.ts'
import { describeStartError } from './start-error.ts'
import { policyUsage, serveUsage, usage } from './usage.ts'
import { readVersion } from './version.ts'

process.exitCode = await main(process.argv.slice(2))
// The channel to its supervisor would keep a worker alive that could not start.
if (process.exitCode !== 0) process.channel?.unref()

/** Answers the exit code: 1 when it could not be done, 2 when the command line is not understood. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    return (await run(argv)) === false ? 1 : 0
  } catch (error) {
    const [message, code] = describe(error)
    process.stderr.write(`zaqar: ${message}\n`)
    return code
  }
}

/** Answers false to a question whose answer is no. */
async function run([command, ...rest]: readonly string[]): Promise<boolean | undefined> {
  const wantsHelp = rest.includes('--help')
  if (command === '--help') print(usage)
  else if (command === '--version') print(`${readVersion()}\n`)
  else if (command === 'serve' && wantsHelp) print(serveUsage())
  else if (command === 'serve') {
    // Loaded here, so that help does not wait for the whole service.
    const { serve } = await import('./serve.ts')
    await serve(rest)
  } else if (command === 'config' && wantsHelp) print(usage)
  else if (command === 'config') printOptions(rest)
  else if (command === 'policy' && wantsHelp) print(policyUsage)
  else if (command === 'policy') {
    const { policyCommand } = await import('./policy.ts')
    const { text, admitted } = policyCommand(rest)
    print(text)
    return admitted
  } else throw new UsageError(command === undefined ? 'a command is missing' : `there is no command ${command}`)
  return undefined
}

function printOptions(argv: readonly string[]): void {
  const form = argv.join(' ')
  if (form === 'options') print(describeOptions())
  else if (form === 'options --markdown') print(documentOptions())
  else throw new UsageError('after config comes options, and perhaps --markdown')
}

function print(text: string): void {
  process.stdout.write(text)
}

function describe(error: unknown): [message: string, exitCode: number] {
  if (error instanceof UsageError) return [`${error.message}; see zaqar --help`, 2]
  if (!(error instanceof ConfigError || error instanceof PolicyError)) return [describeStartError(error), 1]
  const { problems } = error
  if (problems.length === 1) return [problems[0] ?? '', 1]
  return [
    `the ${error instanceof PolicyError ? 'policy' : 'configuration'} has ${problems.length} problems\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    1,
  ]
}
