/** What popping and following have in common: nothing can be given back. */
import type { Message } from 'zaqar-client'
import { pause } from '../../platform/pause.ts'
import { AgentEnds, type Taking } from './taking.ts'
import type { Worked } from './worker.ts'

/** Between two looks where there was nothing: a service that does not wait answers at once. In milliseconds. */
const IDLE_MS = 1_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000

/**
 * Starts what `next` finds, as many at the same time as there may be, until it is to stop or something fails. Resolves
 * when all has ended. @throws the first error
 */
export async function takeInPlace(
  given: Taking,
  /** Answers null where there is nothing. */
  next: (taking: Taking) => Promise<(() => Promise<unknown>) | null>,
): Promise<void> {
  const failure = new AbortController()
  const fail = (error: unknown) => failure.abort(error)
  const stopping = AbortSignal.any([given.stopping, failure.signal])
  const running = new Set<Promise<unknown>>()
  try {
    while (!stopping.aborted) {
      while (running.size >= given.concurrency) await Promise.race(running)
      const task = await next({ ...given, stopping })
      if (task === null) await pause(IDLE_MS, stopping)
      else {
        const run = task()
          .catch(fail)
          .finally(() => running.delete(run))
        running.add(run)
      }
    }
  } catch (error) {
    fail(error)
  }
  await Promise.all(running)
  const { aborted, reason } = failure.signal
  if (aborted && !(reason instanceof AgentEnds)) throw reason
}

/**
 * Runs the command for a message; when it asks for another try it gets one, after ever longer pauses, while the message
 * lives and the agent goes on. Answers what became of the last try.
 */
export async function runInPlace(
  { id, body, age, ttl }: Pick<Message, 'id' | 'body' | 'age' | 'ttl'>,
  { worker, stopping, aborting, clock }: Taking,
): Promise<Worked> {
  const expiresAt = clock.now() + (ttl - age) * 1000
  for (let attempt = 1; ; attempt++) {
    const worked = await worker.run({ id, body, age, ttl, claimId: null, attempt }, aborting)
    const wait = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1))
    if (!worked.wantsRetry || clock.now() + wait >= expiresAt) return worked
    await pause(wait, stopping)
    if (stopping.aborted) return worked
  }
}
