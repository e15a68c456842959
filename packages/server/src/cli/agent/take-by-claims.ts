import type { Message } from 'zaqar-client'
import { isRefusal, SignatureRefused } from './keep-asking.ts'
import { AgentEnds, type Taking } from './taking.ts'

/** Ids of messages that are remembered as reported, at the most. */
const REMEMBERED = 1_000

/** The command has asked for another try, or was broken off: the message goes back. */
class GivenBack extends Error {
  override readonly name = 'GivenBack'
}

/**
 * Claims messages, renews the claims while the command runs, and deletes what is done. No message is lost; one comes
 * again when its claim has ended before it was deleted. `ttl`: of claims, in seconds. Resolves when all has ended.
 * @throws SignatureRefused; what ends a consumer
 */
export async function takeByClaims(taking: Taking, ttl: number): Promise<void> {
  const { queue, worker, concurrency, stopping, aborting, log } = taking
  const reported = new Set<string>()
  const refused = Promise.withResolvers<never>()
  const consumer = queue.consume(
    async (message, { claimId, signal }) => {
      // Its outcome was posted when the claim had just ended.
      if (reported.has(message.id)) return
      const { outcome, isAborted, wantsRetry } = await worker.run({ ...message, claimId, attempt: null }, signal)
      if (isAborted || wantsRetry) throw new GivenBack()
      // Even if the claim is lost meanwhile: the command has run, and need not do so again.
      await worker.report(outcome, message.id, aborting)
      remember(reported, message.id)
    },
    {
      concurrency,
      // Nothing is claimed ahead: it would wait for a command to end, while another agent could run it.
      prefetch: concurrency,
      ttl,
      onError(error, message) {
        if (error instanceof GivenBack || error instanceof AgentEnds) log(`message ${message?.id}: given back`)
        else if (error instanceof SignatureRefused) refused.reject(error)
        else if (isRefusal(error)) refused.reject(new SignatureRefused(error.message, { cause: error }))
        else log(troubleWith(error, message))
      },
    },
  )
  stopping.addEventListener('abort', () => consumer.stop())
  aborting.addEventListener('abort', () => consumer.stop({ release: true }))
  try {
    await Promise.race([consumer.ended, refused.promise])
  } catch (error) {
    // What became of the messages that are held could not be said.
    consumer.stop({ release: true })
    throw error
  }
}

/** The oldest is forgotten where there are too many. */
function remember(ids: Set<string>, id: string): void {
  ids.add(id)
  const [oldest] = ids
  if (ids.size > REMEMBERED) ids.delete(oldest as string)
}

function troubleWith(error: unknown, message: Message | null): string {
  const trouble = error instanceof Error ? error.message : String(error)
  return message === null ? trouble : `message ${message.id}: ${trouble}`
}
