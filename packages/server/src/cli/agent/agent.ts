import { Zaqar } from 'zaqar-client'
import { formatIsoTime } from '../../core/rules/iso-time.ts'
import { diskFiles } from '../../platform/disk-files.ts'
import { createSystemClock } from '../../platform/system-clock.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { expiryOf, readSignedUrlFile, type SharedQueue, type SignedUrlFile } from '../signed-url-file.ts'
import { AgentError } from './agent-error.ts'
import { allows, type Choice, chooseWay } from './choose-way.ts'
import { Ending } from './ending.ts'
import { SignatureRefused } from './keep-asking.ts'
import type { Log } from './log.ts'
import { Position } from './position.ts'
import { takeByClaims } from './take-by-claims.ts'
import { takeByFollowing } from './take-by-following.ts'
import { takeByPopping } from './take-by-popping.ts'
import type { Taking } from './taking.ts'
import { Worker } from './worker.ts'

export interface AgentOptions {
  /** Path of the file with the signed values. */
  readonly signedUrlFile: string
  /** Text for `/bin/sh`, run for each message. */
  readonly command: string
  /** Commands that run at the same time, at the most. */
  readonly concurrency: number
  /** Of each command. */
  readonly timeoutSeconds: number
  /** Life of a claim. */
  readonly claimTtlSeconds: number
  /** How long commands may go on when the agent is told to end. */
  readonly closingSeconds: number
  /** Path of the file that holds how far the messages were followed; null where none was given. */
  readonly stateFile: string | null
}

/**
 * Runs a command for each message of a queue, until a signal of the system or the end of its signed values ends it.
 * Answers the exit code. @throws SignedUrlFileError; AgentError; what would be the same when asked again
 */
export async function runAgent(options: AgentOptions, log: Log): Promise<ExitCode> {
  const { signedUrlFile: path, command, concurrency, timeoutSeconds, closingSeconds } = options
  const file = readSignedUrlFile(path, diskFiles.readFile(path))
  const { url, queue, reply } = file
  if (diskFiles.isReadableByAll(path)) log(`${path} can be read by everybody on this machine: chmod 600 ${path}`)
  const choice = chooseWay(file) ?? refuse(file, 'GET or DELETE on messages')
  if (reply !== null && !allows(reply, 'POST', 'messages')) refuse(reply, 'POST on messages')

  const clock = createSystemClock()
  const expiresAt = Math.min(...[file, ...(reply === null ? [] : [reply])].map(expiryOf))
  const ending = new Ending({ expiresAt, closingSeconds, clock, log })
  const clientFor = ({ queue, signed }: SharedQueue) => new Zaqar({ url, auth: { signed } }).queue(queue)
  const worker = new Worker({
    command,
    timeoutSeconds,
    queue,
    reply: reply && clientFor(reply),
    killing: ending.killing,
    env: process.env,
    clock,
    log,
  })
  const { stopping, aborting } = ending
  const taking = { queue: clientFor(file), worker, concurrency, stopping, aborting, clock, log }
  try {
    await take(choice, taking, file, options)
    if (!ending.hasExpired) return EXIT.done
  } catch (error) {
    if (!(error instanceof SignatureRefused)) throw error
  }
  const [end, now] = [expiresAt, clock.now()].map(formatIsoTime)
  log(
    `the signed values in ${path} are not good any more: they end at ${end}, and it is ${now} UTC by the clock of this machine. Put new ones into the file and start the agent again`,
  )
  return EXIT.notAllowed
}

/** Says how messages are taken, and why so; then takes them until the end. */
function take({ way, missing }: Choice, taking: Taking, file: SignedUrlFile, options: AgentOptions): Promise<void> {
  const { queue, url, reply } = file
  const place = `the queue ${queue} at ${url}`
  const answers = reply === null ? 'outcomes are only logged' : `outcomes go to the queue ${reply.queue}`
  const why = `the signed values do not allow ${new Intl.ListFormat('en').format(missing)}`
  switch (way) {
    case 'claims':
      taking.log(`messages of ${place} are claimed; ${answers}`)
      return takeByClaims(taking, options.claimTtlSeconds)
    case 'pop':
      taking.log(`messages of ${place} are popped, since ${why}; ${answers}`)
      return takeByPopping(taking)
    case 'follow': {
      if (options.stateFile === null)
        throw new AgentError(
          `--state FILE is missing: messages can only be read, since ${why}, and the file holds how far`,
        )
      const position = Position.open(options.stateFile, file)
      taking.log(`messages of ${place} are read and left there, since ${why}; ${answers}`)
      return takeByFollowing(taking, position)
    }
  }
}

function refuse({ queue, signed: { methods, paths } }: SharedQueue, needed: string): never {
  throw new AgentError(
    `the signed values for the queue ${queue} must allow ${needed}; they allow ${methods.join(', ')} on ${paths.join(', ')}`,
  )
}
