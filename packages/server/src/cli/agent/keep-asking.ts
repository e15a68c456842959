import { BadRequest, Conflict, NotFound, ZaqarError } from 'zaqar-client'
import { pause } from '../../platform/pause.ts'
import { systemIds } from '../../platform/system-ids.ts'
import { sentenceOf } from '../output/sentence.ts'
import { isUnknownAddress } from '../unknown-address.ts'
import type { Log } from './log.ts'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

/** The service does not accept the signed values: they have ended, or its key is another one by now. */
export class SignatureRefused extends Error {
  override readonly name = 'SignatureRefused'
}

/**
 * Asks until the service has answered, ever less often, and tells of it once. @throws SignatureRefused; what would be
 * the same when asked again; the reason of the signal
 */
export async function keepAsking<T>(
  ask: () => Promise<T>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<T> {
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted()
    try {
      const answer = await ask()
      if (tries > 0) log('the service answers again')
      return answer
    } catch (error) {
      if (isUnknownAddress(error)) throw new SignatureRefused(error.message, { cause: error })
      if (!mayPass(error)) throw error
      if (tries === 0) log(`it is tried again until it succeeds: ${sentenceOf(error)}`)
    }
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10))
    await pause((longest * (1 + systemIds.randomFraction())) / 2, signal)
  }
}

function mayPass(error: unknown): error is ZaqarError {
  return error instanceof ZaqarError && ![BadRequest, Conflict, NotFound].some((kind) => error instanceof kind)
}
