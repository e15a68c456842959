import assert from 'node:assert/strict'
import { type TestAnswer, TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { checkHistory } from '../crash/check.ts'
import { History } from '../crash/history.ts'
import { runLoad, untilBusy } from '../crash/load.ts'
import { sendOverHttp } from '../support/send-over-http.ts'

/** After the trouble has ended. */
const LONGEST_RECOVERY_MS = 10_000

export interface Outcome {
  readonly posts: number
  /** Requests that were answered with 503. */
  readonly refused: number
  /** From the end of the trouble until the service said that it can write. */
  readonly recoveryMs: number
}

/**
 * Two projects at work on services of one database while there is trouble. Fails when anything that was acknowledged is
 * lost, anything is served twice, out of order or to the other project, a refusal is not what the contract says, or the
 * services do not serve again by themselves.
 */
export async function underLoad(
  urls: readonly string[],
  trouble: () => Promise<void>,
  projects = ['one', 'other'],
): Promise<Outcome> {
  let isOver = false
  let refused = 0
  const onRefused = (answer: TestAnswer) => {
    refused += 1
    expectRefusal(answer)
  }
  const histories = projects.map(() => new History())
  const loads = projects.flatMap((project, p) =>
    urls.map((url, u) => runLoad(url, histories[p] as History, u, { project, isOver: () => isOver, onRefused })),
  )
  let recoveryMs = 0
  try {
    await untilBusy(histories)
    await trouble()
    const endedAt = performance.now()
    for (const url of urls) await recovered(url)
    recoveryMs = Math.round(performance.now() - endedAt)
    await untilBusy(histories)
  } finally {
    isOver = true
    await Promise.all(loads)
  }
  for (const [p, project] of projects.entries()) {
    await checkHistory(urls[0] as string, histories[p] as History, project)
  }
  const worked = histories.every(({ batches, deletions }) => batches.length > 0 && deletions.size > 0)
  assert.ok(worked, 'the trouble met no work')
  return { posts: histories.reduce((sum, { batches }) => sum + batches.length, 0), refused, recoveryMs }
}

export function expectRefusal({ status, headers, text }: TestAnswer): void {
  assert.equal(status, 503, text)
  assert.match(headers['content-type'] ?? '', /^application\/json/)
  const { title, description } = JSON.parse(text)
  assert.equal(title, 'Service temporarily unavailable')
  // Nothing of what the database said: it may name hosts and users.
  assert.doesNotMatch(description, /postgres|127\.0\.0\.1/i)
}

/** Fails when it takes too long. */
export function untilServed(client: TestClient): Promise<void> {
  const isServed = async () => (await client.get('/v2/ping')).status === 204
  return until(isServed, 'the service does not serve again by itself', LONGEST_RECOVERY_MS)
}

async function recovered(url: string): Promise<void> {
  const send = sendOverHttp(url)
  const client = new TestClient(send)
  await untilServed(client)
  send.close()
}
