/** `zaqar import`, and what is on either side. */
import assert from 'node:assert/strict'
import { type Topic, Zaqar } from 'zaqar-client/http'
import { type Given, runHere } from '../cli/run-here.ts'

/** The line of a queue or topic. */
interface Report {
  readonly project: string
  /** Undefined: it is of a topic. */
  readonly queue?: string
  readonly topic?: string
  readonly ok: boolean
  readonly imported: number
  readonly seen: number
  readonly claimed: number
  readonly delayed: number
  readonly prolonged: number
  readonly gone: number
  readonly removed: number
  readonly unlisted: number
  readonly subscriptions: number
  readonly problems: readonly string[]
  readonly verification?: { readonly source: number; readonly destination: number; readonly missing: number }
}

/** What an import in this process prints: a line for each queue and topic, and one for all. */
export async function imported(
  argv: readonly string[],
  { code = 0, ...given }: Given & { readonly code?: number } = {},
) {
  const ended = await runHere([...argv, '--json'], given)
  assert.deepEqual([ended.code, ended.stderr], [code, ''], ended.stdout)
  const lines = ended.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const summary = lines.pop()
  return {
    summary,
    lines: lines as Report[],
    of: (name: string) => lines.find(({ queue }) => queue === name) as Report,
    ofTopic: (name: string) => lines.find(({ topic }) => topic === name) as Report,
  }
}

/** All of a queue or topic, in order. */
export async function bodiesOf(queue: Topic): Promise<unknown[]> {
  const options = { includeClaimed: true, includeDelayed: true, limit: 20 }
  return (await Array.fromAsync(queue.messages(options))).map(({ body }) => body)
}

export async function fill(queue: Topic, bodies: readonly unknown[]): Promise<void> {
  for (let start = 0; start < bodies.length; start += 200) {
    await queue.postAll(bodies.slice(start, start + 200).map((body) => ({ body, ttl: 86_400 })))
  }
}

/** Whom a service that asks nobody takes for its operator. */
export function operatorOf({ url }: { readonly url: string }, project: string): Zaqar {
  const fetchAsAdmin: typeof fetch = (input, { headers, ...init } = {}) =>
    fetch(input, { ...init, headers: { ...(headers as Record<string, string>), 'X-Roles': 'admin' } })
  return new Zaqar({ url, project, fetch: fetchAsAdmin })
}
