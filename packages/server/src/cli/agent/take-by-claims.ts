import { type Message, ZaqarError } from 'zaqar-client'
import { sentenceOf } from '../output/sentence.ts'
import { isUnknownAddress } from '../unknown-address.ts'
import { SignatureRefused } from './keep-asking.ts'
import { RecentMessages } from './recent-messages.ts'
import { AgentEnds, type Taking } from './taking.ts'

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
  const { queue, worker, concurrency, stopping, log } = taking
  const recent = new RecentMessages()
  const failure = new AbortController()
  const aborting = AbortSignal.any([taking.aborting, failure.signal])
  const consumer = queue.consume(
    async (message, { claimId, signal }) => {
      // Its outcome was posted when its claim had just ended.
      if (recent.wasReported(message.id)) return
      const job = { ...message, claimId, attempt: recent.begin(message.id) }
      const { outcome, isAborted, wantsRetry } = await worker.run(job, AbortSignal.any([signal, aborting]))
      if (isAborted || wantsRetry) throw new GivenBack()
      // Even if the claim is lost meanwhile: the command has run, and need not do so again.
      await worker.report(outcome, message.id, aborting)
      recent.reported(message.id)
    },
    {
      concurrency,
      // Nothing is claimed ahead: it would wait for a command to end, while another agent could run it.
      prefetch: concurrency,
      ttl,
      onError(error, message) {
        if (error instanceof GivenBack || error instanceof AgentEnds) log(`message ${message?.id}: given back`)
        else if (error instanceof SignatureRefused) failure.abort(error)
        else if (isUnknownAddress(error)) failure.abort(new SignatureRefused(error.message, { cause: error }))
        else log(troubleWith(error, message))
      },
    },
  )
  // What runs is broken off by `aborting`, and only then given back: a consumer that is told to release does not wait.
  for (const signal of [stopping, failure.signal]) signal.addEventListener('abort', () => consumer.stop())
  await consumer.ended
  failure.signal.throwIfAborted()
}

function troubleWith(error: unknown, message: Message | null): string {
  const trouble = error instanceof ZaqarError ? sentenceOf(error) : String(error)
  return message === null ? trouble : `message ${message.id}: ${trouble}`
}
