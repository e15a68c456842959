import { hostname } from 'node:os'
import { BadRequest, Conflict, type Queue } from 'zaqar-client'
import type { Clock } from '../../platform/clock.ts'
import { keepAsking } from './keep-asking.ts'
import type { Log } from './log.ts'
import { type CommandEnd, runCommand } from './run-command.ts'

/** A message for which the command is to run. */
export interface Job {
  readonly id: string
  readonly body: unknown
  /** Seconds. */
  readonly age: number
  readonly ttl: number
  readonly claimId: string | null
  /** Which try of this agent it is. */
  readonly attempt: number
}

/** What became of a message, as it is posted to the reply queue. */
export interface Outcome {
  readonly message_id: string
  readonly queue: string
  /** Null where a signal has ended the command. */
  readonly exit_code: number | null
  readonly signal: string | null
  /** Why the command could not be started; null where it was. */
  readonly error: string | null
  readonly timed_out: boolean
  readonly stdout: string
  readonly stdout_truncated: boolean
  readonly stderr: string
  readonly stderr_truncated: boolean
  readonly started_at: string
  readonly seconds: number
  readonly attempt: number
  readonly host: string
}

export interface Worked {
  readonly outcome: Outcome
  /** Whether the command did not come to its end, since the agent ends or has lost the message. */
  readonly isAborted: boolean
  /** Whether the command wants to be run again. */
  readonly wantsRetry: boolean
}

export interface WorkerParts {
  readonly command: string
  readonly timeoutSeconds: number
  readonly queue: string
  /** Null: outcomes are only logged. */
  readonly reply: Pick<Queue, 'post'> | null
  /** Its abortion kills all commands at once. */
  readonly killing: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly log: Log
}

/** Exit code of a command that could not do its work now; EX_TEMPFAIL of sysexits.h. */
const RETRY = 75

/** Runs the command for messages, and posts what became of it. */
export class Worker {
  readonly #parts: WorkerParts

  constructor(parts: WorkerParts) {
    this.#parts = parts
  }

  /** `signal` ends the command. */
  async run(job: Job, signal: AbortSignal): Promise<Worked> {
    const { command, timeoutSeconds, killing, clock, queue, env, log } = this.#parts
    const { body } = job
    const end = await runCommand({
      command,
      timeoutSeconds,
      signal,
      killing,
      clock,
      input: typeof body === 'string' ? body : JSON.stringify(body),
      env: environmentOf(job, queue, env),
    })
    log(`message ${job.id}: ${describe(end, timeoutSeconds)}`)
    return {
      outcome: outcomeOf(job, queue, end),
      isAborted: end.endedBy === 'abortion',
      wantsRetry: end.endedBy === null && (end.exitCode === RETRY || end.error !== null),
    }
  }

  /**
   * Resolves when the outcome is in the reply queue, or cannot be. `key`: of two outcomes with the same, the first
   * counts. @throws SignatureRefused; the reason of the signal
   */
  async report(outcome: Outcome, key: string, signal: AbortSignal): Promise<void> {
    const { reply, log } = this.#parts
    if (reply === null) return
    const say = (text: string) => log(`message ${outcome.message_id}: ${text}`)
    const withoutOutput = { ...outcome, stdout: '', stdout_truncated: true, stderr: '', stderr_truncated: true }
    for (const document of [outcome, withoutOutput]) {
      try {
        await keepAsking(() => reply.post(document, { idempotencyKey: key, signal }), { signal, log })
        return
      } catch (error) {
        if (error instanceof Conflict) return say('an earlier outcome was posted, which counts')
        if (!(error instanceof BadRequest)) throw error
        say(`its outcome${document === outcome ? '' : ' without output'} is not taken: ${error.message}`)
      }
    }
  }
}

/** Attributes of the message, beside what the agent has itself. */
function environmentOf({ id, body, age, ttl, claimId, attempt }: Job, queue: string, env: WorkerParts['env']) {
  const others = Object.entries(env).filter(([name]) => !name.startsWith('ZAQAR_'))
  return {
    ...Object.fromEntries(others),
    ZAQAR_QUEUE: queue,
    ZAQAR_MESSAGE_ID: id,
    ZAQAR_BODY: typeof body === 'string' ? 'text' : 'json',
    ZAQAR_AGE: String(age),
    ZAQAR_TTL: String(ttl),
    ZAQAR_ATTEMPT: String(attempt),
    ...(claimId !== null && { ZAQAR_CLAIM_ID: claimId }),
  }
}

function describe({ exitCode, signal, error, endedBy, seconds }: CommandEnd, timeoutSeconds: number): string {
  if (error !== null) return `not run: ${error}`
  const time = `after ${seconds.toFixed(1)} s`
  if (endedBy === 'time limit') return `ended ${time}, at the time limit of ${timeoutSeconds} s`
  if (endedBy === 'abortion') return `broken off ${time}`
  return exitCode === null ? `killed by ${signal} ${time}` : `exit code ${exitCode} ${time}`
}

function outcomeOf({ id, attempt }: Job, queue: string, end: CommandEnd): Outcome {
  return {
    message_id: id,
    queue,
    exit_code: end.exitCode,
    signal: end.signal,
    error: end.error,
    timed_out: end.endedBy === 'time limit',
    stdout: end.stdout.text(),
    stdout_truncated: end.stdout.isTruncated,
    stderr: end.stderr.text(),
    stderr_truncated: end.stderr.isTruncated,
    started_at: new Date(end.startedAt).toISOString(),
    seconds: Math.round(end.seconds * 1000) / 1000,
    attempt,
    host: hostname(),
  }
}
