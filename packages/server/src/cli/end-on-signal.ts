import { createSystemClock } from '../platform/system-clock.ts'
import { describeStartError } from './start-error.ts'

/** The time that the storage has to close, beyond the time that requests have. */
const CLOSING_SECONDS = 5

/**
 * SIGTERM and SIGINT end the process when it has answered what it has begun, or when `limitSeconds` are over (0: there
 * is no limit). A second SIGINT, as from an impatient terminal, ends it at once. SIGHUP, as from a terminal that is
 * closed, does not.
 */
export function endOnSignal(service: { close(): Promise<void> }, limitSeconds: number, name: string): void {
  let endedBy: NodeJS.Signals | null = null
  const fail = (why: string): never => {
    process.stderr.write(`zaqar: ${name} did not end well: ${why}\n`)
    process.exit(1)
  }
  const end = (signal: NodeJS.Signals): void => {
    if (endedBy === 'SIGINT' && signal === 'SIGINT') process.exit(130)
    // A terminal or a service manager signals to all processes, and a supervisor passes its own signal on.
    if (endedBy !== null) return
    endedBy = signal
    const clock = createSystemClock()
    const atLast = clock.now() + (limitSeconds + CLOSING_SECONDS) * 1000
    if (limitSeconds > 0) clock.at(atLast, () => fail('it took too long'))
    service.close().then(
      () => process.exit(0),
      (error: unknown) => fail(describeStartError(error)),
    )
  }
  process.on('SIGTERM', end).on('SIGINT', end)
}
