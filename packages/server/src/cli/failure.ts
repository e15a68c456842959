import { ZaqarError } from 'zaqar-client/http'
import { PolicyError } from '../auth/policy/policy-error.ts'
import { BackupError } from '../backup/backup-error.ts'
import { ConfigError } from '../config/load.ts'
import { AgentError } from './agent/agent-error.ts'
import { BenchError } from './bench/bench-error.ts'
import { ConnectionError } from './connection/connection-error.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { ImportError } from './import/import-error.ts'
import { NotThere } from './not-there.ts'
import { sentenceOf } from './output/sentence.ts'
import { RegistrationError } from './registration/registration-error.ts'
import { SignedUrlFileError } from './signed-url-file.ts'
import { isUnknownAddress } from './unknown-address.ts'
import { UsageError } from './usage-error.ts'

const UNKNOWN_ADDRESS =
  'the service has nothing at this address (404 Not Found): it does not know how to do that, or does not accept the signed URL'

export interface Failure {
  readonly message: string
  readonly exitCode: ExitCode
}

/** What to tell the user of an error that ended a command. */
export async function describeFailure(error: unknown): Promise<Failure> {
  if (error instanceof UsageError) return { message: error.message, exitCode: EXIT.notUnderstood }
  if (error instanceof ConfigError) return { message: list('configuration', error.problems), exitCode: EXIT.failed }
  if (error instanceof PolicyError) return { message: list('policy', error.problems), exitCode: EXIT.failed }
  if (isUnknownAddress(error)) return { message: UNKNOWN_ADDRESS, exitCode: EXIT.notThere }
  if (error instanceof ZaqarError) return { message: sentenceOf(error), exitCode: exitCodeOf(error) }
  if (error instanceof NotThere) return { message: error.message, exitCode: EXIT.notThere }
  const foreseen = [
    SignedUrlFileError,
    AgentError,
    BenchError,
    ConnectionError,
    BackupError,
    ImportError,
    RegistrationError,
  ]
  const isForeseen = foreseen.some((kind) => error instanceof kind)
  if (isForeseen) return { message: (error as Error).message, exitCode: EXIT.failed }
  const { describeStartError } = await import('./start-error.ts')
  return { message: describeStartError(error), exitCode: EXIT.failed }
}

function exitCodeOf({ code }: ZaqarError): ExitCode {
  switch (code) {
    case 'not_found':
      return EXIT.notThere
    case 'unauthenticated':
    case 'forbidden':
      return EXIT.notAllowed
    case 'unavailable':
    case 'unreachable':
    case 'timeout':
      return EXIT.noAnswer
    default:
      return EXIT.failed
  }
}

function list(what: string, problems: readonly string[]): string {
  if (problems.length === 1) return problems[0] as string
  return `the ${what} has ${problems.length} problems${problems.map((problem) => `\n  ${problem}`).join('')}`
}
