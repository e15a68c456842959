/** How workers and the process that starts them talk. */

/** What a worker reports when it serves. */
export interface Ready {
  readonly url: string
  readonly adminUrl: string | null
  readonly socketUrl: string | null
}

const VARIABLE = 'ZAQAR_WORKER'
const POLICIES = 'ZAQAR_WORKER_POLICIES'

/**
 * The environment that makes a worker. `number`: from 1 on; one that takes the place of another has its number.
 * `neededPolicies`: files that hold the rules of the service, without which it must not start.
 */
export function workerEnvironment(number: number, neededPolicies: readonly string[]): Record<string, string> {
  return { [VARIABLE]: String(number), [POLICIES]: JSON.stringify(neededPolicies) }
}

/** As `workerEnvironment` was told. */
export function neededPolicies(): readonly string[] {
  return JSON.parse(process.env[POLICIES] ?? '[]') as string[]
}

/** Null in a process that was started by a person. */
export function ownNumber(): number | null {
  const text = process.env[VARIABLE]
  return text === undefined || process.send === undefined ? null : Number(text)
}
