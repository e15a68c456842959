import type { Message } from 'zaqar-client'
import { keepAsking } from './keep-asking.ts'
import type { Position } from './position.ts'
import { runInPlace, takeInPlace } from './take-in-place.ts'
import type { Taking } from './taking.ts'

/** Longest wait of one request, in seconds. */
const LONG_POLL = 20

/**
 * Reads messages in their order and leaves them where they are. The position moves behind a message when it and all
 * before it are done; what was done behind it is done once more after a restart. Resolves when all has ended. @throws
 * SignatureRefused; what would be the same when asked again; the error of the system when the position cannot be kept
 */
export async function takeByFollowing(taking: Taking, position: Position): Promise<void> {
  let { marker } = position
  let before = Promise.resolve(true)
  await takeInPlace(taking, async (taking) => {
    const { queue, stopping, log } = taking
    const terms = { limit: 1, includeClaimed: true, wait: LONG_POLL, signal: stopping }
    const page = await keepAsking(() => queue.list({ marker, ...terms }), { signal: stopping, log })
    const [message] = page.messages
    if (message === undefined) return null
    // Not the id of the message: one with a delay has its place since that was over.
    const behind = page.marker as string
    marker = behind
    return () => {
      before = handle(message, { behind, before, position, taking })
      return before
    }
  })
}

interface Step {
  readonly behind: string
  readonly before: Promise<boolean>
  readonly position: Position
  readonly taking: Taking
}

/** Answers whether the position is behind the message. */
async function handle(message: Message, { behind, before, position, taking }: Step): Promise<boolean> {
  const { worker, stopping, aborting } = taking
  const { outcome, isAborted, wantsRetry } = await runInPlace(message, taking)
  if (isAborted || (wantsRetry && stopping.aborted)) return false
  await worker.report(outcome, position.keyOf(message.id), aborting)
  if (!(await before)) return false
  position.move(behind)
  return true
}
