import type { Config } from './options.ts'

/** What the delay leaves of the time to end, in seconds; 0: there is no limit. */
export function secondsAfterDelay({ closingSeconds, closingDelaySeconds }: Config['http']): number {
  return closingSeconds === 0 ? 0 : closingSeconds - closingDelaySeconds
}

/** Sentences that stop the start. Options whose own values were refused are absent. */
export function closingProblems(http: Partial<Config['http']> = {}, label: (name: string) => string): string[] {
  const { closingSeconds = 0, closingDelaySeconds = 0 } = http
  if (closingSeconds === 0 || closingDelaySeconds < closingSeconds) return []
  return [
    `${label('graceful_shutdown_delay')}: ${closingDelaySeconds} seconds leave nothing of the ${closingSeconds} of ` +
      'graceful_shutdown_timeout, which they are part of',
  ]
}
