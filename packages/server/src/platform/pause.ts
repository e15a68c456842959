import { setTimeout } from 'node:timers/promises'

/**
 * Resolves after the time, or at once when `signal` is aborted. Unlike a timer of the clock it keeps the process alive.
 */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { ...(signal && { signal }) }).catch(() => undefined)
}
