#!/usr/bin/env node
/** The command `zaqar`. */
import { PolicyError } from '../auth/policy/policy-error.ts'
import { UsageError } from '../config/flags.ts'
import { ConfigError } from '../config/load.ts'
import { runCommand } from './commands.ts'
import { describeStartError } from './start-error.ts'

process.exitCode = await main(process.argv.slice(2))
// The channel to its supervisor would keep a worker alive that could not start.
if (process.exitCode !== 0) process.channel?.unref()

/**
 * Answers the exit code: 1 when it could not be done or the answer is no, 2 when the command line is not understood.
 */
async function main(argv: readonly string[]): Promise<number> {
  try {
    return await runCommand(argv)
  } catch (error) {
    const [message, code] = describe(error)
    process.stderr.write(`zaqar: ${message}\n`)
    return code
  }
}

function describe(error: unknown): [message: string, exitCode: number] {
  if (error instanceof UsageError) return [`${error.message}; see zaqar --help`, 2]
  if (!(error instanceof ConfigError || error instanceof PolicyError)) return [describeStartError(error), 1]
  const { problems } = error
  if (problems.length === 1) return [problems[0] ?? '', 1]
  const lines = problems.map((problem) => `\n  ${problem}`)
  const what = error instanceof PolicyError ? 'policy' : 'configuration'
  return [`the ${what} has ${problems.length} problems${lines.join('')}`, 1]
}
