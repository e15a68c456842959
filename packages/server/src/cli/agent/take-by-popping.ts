import type { PoppedMessage } from 'zaqar-client'
import { keepAsking } from './keep-asking.ts'
import { runInPlace, takeInPlace } from './take-in-place.ts'
import type { Taking } from './taking.ts'

/** Nothing but the end of the process keeps an outcome from being posted: what was popped is nowhere else. */
const NEVER = new AbortController().signal

/**
 * Pops messages one by one: a message is lost when the agent is killed before its outcome is posted, or the answer to a
 * request gets lost. Resolves when all has ended. @throws SignatureRefused; what would be the same when asked again
 */
export async function takeByPopping(taking: Taking): Promise<void> {
  await takeInPlace(taking, async (taking) => {
    const { queue, stopping, log } = taking
    // The request is not broken off: its answer may hold a message.
    const [message] = await keepAsking(() => queue.pop(1), { signal: stopping, log })
    return message === undefined ? null : () => handle(message, taking)
  })
}

async function handle(message: PoppedMessage, taking: Taking): Promise<void> {
  const { outcome } = await runInPlace(message, taking)
  await taking.worker.report(outcome, message.id, NEVER)
}
