import type { Clock } from './clock.ts'

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

/** The clock of the machine, held still while the machine sets it back. */
export function createSystemClock(): Clock {
  let latest = 0
  const now = () => {
    latest = Math.max(latest, Date.now())
    return latest
  }
  return {
    now,
    at(at, callback) {
      let timeout: NodeJS.Timeout
      const wait = () => {
        const left = at - now()
        // Node counts a timeout in 32 bits; a later instant is waited for in pieces.
        if (left > LONGEST_TIMEOUT_MS) timeout = setTimeout(wait, LONGEST_TIMEOUT_MS)
        else timeout = setTimeout(fire, Math.max(0, left))
        timeout.unref()
      }
      // The timer of the event loop may be early by a fraction of a millisecond.
      const fire = () => (now() < at ? wait() : callback())
      wait()
      return { cancel: () => clearTimeout(timeout) }
    },
  }
}
