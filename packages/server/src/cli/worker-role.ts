/** How workers and the process that starts them talk. */

/** What a worker reports when it serves. */
export interface Ready {
  readonly url: string
  readonly adminUrl: string | null
}

const VARIABLE = 'ZAQAR_WORKER'

/** The environment that makes a worker. `number`: from 1 on; one that takes the place of another has its number. */
export function workerEnvironment(number: number): Record<string, string> {
  return { [VARIABLE]: String(number) }
}

/** Null in a process that was started by a person. */
export function ownNumber(): number | null {
  const text = process.env[VARIABLE]
  return text === undefined || process.send === undefined ? null : Number(text)
}
