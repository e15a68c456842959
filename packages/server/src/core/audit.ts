import type { Clock } from '../platform/clock.ts'
import { ZaqarError } from './errors.ts'
import type { Call, Caller, Execute, Operation } from './execute.ts'
import { NO_PROJECT } from './rules/projects.ts'

/** Takes one line without its end; must not wait. */
export type WriteLine = (line: string) => void

/** Stands where lines are missing. */
export function lineOfLost(lines: number, clock: Clock): string {
  return JSON.stringify({ time: timeOf(clock), lostLines: lines })
}

/**
 * Puts an audit log around the operations: a line for each that somebody has asked for, when it has ended, whatever
 * became of it. A line holds no bodies, metadata, tokens or signatures: nothing but what is named here.
 */
export function audited(execute: Execute, { write, clock }: { write: WriteLine; clock: Clock }): Execute {
  return async (operation, read, caller, call) => {
    // Asked now: who has gone at the end has no address any more.
    const about = { ...callerOf(caller, call), ...doingOf(operation, call) }
    let also: readonly string[] = []
    const note = (outcome: Outcome) =>
      write(JSON.stringify({ time: timeOf(clock), ...about, ...(also.length > 0 && { also }), ...outcome }))
    let wasRead = true
    const readNoting = () => {
      wasRead = false
      const input = read()
      wasRead = true
      also = [...new Set(operation.needs?.(input, call.resource).map(({ permission }) => permission))]
      return input
    }
    try {
      const output = await execute(operation, readNoting, caller, call)
      note({ outcome: 'success' })
      return output
    } catch (error) {
      note(outcomeOf(error, wasRead))
      throw error
    }
  }
}

function callerOf({ userId, project, scope }: Caller, { id, clientAddress }: Call) {
  return {
    requestId: id,
    clientAddress: clientAddress?.() ?? null,
    userId,
    projectId: project === NO_PROJECT ? null : project,
    signedUrl: scope.signed !== null,
  }
}

function doingOf<Input, Output>(
  { name, permission, kind = 'queue' }: Operation<Input, Output>,
  { names: { queue, ...others } = {} }: Call,
) {
  return { operation: name, permission, ...(queue !== undefined && { [kind]: queue }), ...others }
}

interface Outcome {
  readonly outcome: 'success' | 'denied' | 'failure'
  /** The same code whatever the transport. */
  readonly error?: string
}

/** `wasRead`: false when a wire could not read the request, or refused to. */
function outcomeOf(error: unknown, wasRead: boolean): Outcome {
  if (!(error instanceof ZaqarError)) return { outcome: 'failure', error: wasRead ? 'internal' : 'request.malformed' }
  const isDenied = error.code === 'policy.denied' || error.kind === 'unauthenticated' || error.kind === 'hidden'
  return { outcome: isDenied ? 'denied' : 'failure', error: error.code }
}

function timeOf(clock: Clock): string {
  return new Date(clock.now()).toISOString()
}
