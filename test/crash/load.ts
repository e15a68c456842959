import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROJECT, type Send, type TestAnswer, TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type History, keyOf, type Mark } from './history.ts'

/** Only written to. */
export const KEPT = 'kept'
/** Written to, claimed from, deleted from. */
export const WORKED = 'worked'
/** Written to and popped from. */
export const POPPED = 'popped'

const WORKERS = { [KEPT]: 4, [WORKED]: 4, [POPPED]: 2, claimers: 6, poppers: 2 }
const MOST_PER_POST = 8
/** Longer than any test lasts. */
const CLAIM_TERMS = { ttl: 43_200, grace: 60 }

/** Between an answer that did not come and the next attempt. */
const PAUSE_MS = 20

/** For an answer. Longer than any takes, however busy the machine. */
const LONGEST_WAIT_MS = 20_000

/** Nobody knows what became of the request: the service went away before it answered, or said that it is in trouble. */
class Unanswered extends Error {}

interface ClaimedMessage {
  readonly href: string
  readonly body: Mark
}

export interface LoadOptions {
  readonly project?: string
  /** Until then the load goes on, whatever becomes of the service. Without it, the load ends with the service. */
  readonly isOver?: () => boolean
  /** Between an answer and the next request of a worker, in milliseconds; at once where it is not given. */
  readonly pauseMs?: number
  /** Told of each refusal of a service in trouble, which none is expected from otherwise. */
  readonly onRefused?: (answer: TestAnswer) => void
}

/**
 * Keeps the service as busy as one process can until it goes away, and writes into `history` what it was told. Resolves
 * when all workers have noticed. `round` tells the writers of this run from others.
 */
export async function runLoad(url: string, history: History, round: number, options: LoadOptions = {}): Promise<void> {
  const { project = PROJECT, isOver = () => true } = options
  const send = sendOverHttp(url)
  const client = new TestClient(orUnanswered(send, options)).with({ 'X-Project-Id': project })
  const work = async (once: (attempt: number) => Promise<never>): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      try {
        await once(attempt)
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error
        if (isOver()) return
        await sleep(PAUSE_MS)
      }
    }
  }
  const writers = [KEPT, WORKED, POPPED].flatMap((queue) =>
    Array.from({ length: WORKERS[queue as keyof typeof WORKERS] }, (_, i) =>
      work((attempt) => write(client, history, queue, `${project} ${queue} ${round} ${i} ${attempt}`)),
    ),
  )
  const claimers = Array.from({ length: WORKERS.claimers }, () => work(() => claim(client, history)))
  const poppers = Array.from({ length: WORKERS.poppers }, () => work(() => pop(client, history)))
  const ends = await Promise.allSettled([...writers, ...claimers, ...poppers])
  send.close()
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

/** Resolves when what is known of each has grown by a post and a deletion: a load under way tells nobody. */
export async function untilBusy(histories: readonly History[]): Promise<void> {
  const known = histories.map(({ batches, deletions }) => [batches.length, deletions.size] as const)
  const hasGrown = ({ batches, deletions }: History, i: number) => {
    const [posts, removals] = known[i] ?? [0, 0]
    return batches.length > posts && deletions.size > removals
  }
  await until(() => histories.every(hasGrown), 'the load does no work')
}

function orUnanswered(send: Send, { isOver = () => false, pauseMs, onRefused }: LoadOptions): Send {
  return async (request) => {
    if (pauseMs !== undefined) await sleep(pauseMs)
    if (isOver()) throw new Unanswered()
    const answer = await answerInTime(send(request)).catch((error) => {
      throw new Unanswered('', { cause: error })
    })
    if (answer.status !== 503 || onRefused === undefined) return answer
    onRefused(answer)
    throw new Unanswered()
  }
}

/**
 * As a client would that does not wait for ever: a connection on its way to a worker that is killed is lost without a
 * word.
 */
async function answerInTime(answer: Promise<TestAnswer>): Promise<TestAnswer> {
  const limit = new AbortController()
  const tooLate = sleep(LONGEST_WAIT_MS, undefined, { signal: limit.signal }).then(() => {
    throw new Error('no answer came')
  })
  return Promise.race([answer, tooLate]).finally(() => {
    limit.abort()
    tooLate.catch(() => {})
  })
}

/** Posts numbered messages, few or many at a time. */
async function write(client: TestClient, history: History, queue: string, writer: string): Promise<never> {
  for (let number = 0; ; ) {
    const marks = Array.from({ length: 1 + random(MOST_PER_POST) }, () => ({ writer, number: number++ }))
    const keys = marks.map(keyOf)
    const messages = marks.map((body) => ({ body }))
    const outcome = await client.post(`/v2/queues/${queue}/messages`, { messages }).then(
      (answer) => expectStatus(answer, 201) && ('acknowledged' as const),
      () => 'unknown' as const,
    )
    history.batches.push({ queue, keys, outcome })
    if (outcome === 'unknown') throw new Unanswered()
  }
}

/** Claims and then deletes one by one, or all at once, or releases, or keeps the claim. */
async function claim(client: TestClient, history: History): Promise<never> {
  for (;;) {
    const answer = await client.post(`/v2/queues/${WORKED}/claims?limit=${1 + random(10)}`, CLAIM_TERMS)
    if (answer.status === 204) continue
    expectStatus(answer, 201)
    const href = answer.headers['location'] as string
    const { messages } = JSON.parse(answer.text) as { messages: ClaimedMessage[] }
    history.claims.set(href, { href, keys: new Set(messages.map(({ body }) => keyOf(body))) })
    const choice = random(10)
    if (choice < 6) for (const message of messages) await remove(client, history, [message], message.href)
    else if (choice < 8) await remove(client, history, messages, byIds(messages))
    else if (choice < 9) {
      // From here on nobody knows, unless there is an answer.
      history.claims.delete(href)
      expectStatus(await client.delete(href), 204)
    }
  }
}

function byIds(messages: readonly ClaimedMessage[]): string {
  const ids = messages.map(({ href }) => /messages\/([^?]+)/.exec(href)?.[1])
  return `/v2/queues/${WORKED}/messages?ids=${ids.join(',')}`
}

async function remove(
  client: TestClient,
  history: History,
  messages: readonly ClaimedMessage[],
  target: string,
): Promise<void> {
  const keys = messages.map(({ body }) => keyOf(body))
  for (const key of keys) history.deletions.set(key, 'unknown')
  expectStatus(await client.delete(target), 204)
  for (const key of keys) history.deletions.set(key, 'acknowledged')
}

async function pop(client: TestClient, history: History): Promise<never> {
  for (;;) {
    const limit = 1 + random(10)
    const answer = await client.delete(`/v2/queues/${POPPED}/messages?pop=${limit}`).catch((error) => {
      history.unansweredPops.set(POPPED, (history.unansweredPops.get(POPPED) ?? 0) + limit)
      throw error
    })
    expectStatus(answer, 200)
    const { messages } = JSON.parse(answer.text) as { messages: { body: Mark }[] }
    for (const { body } of messages) {
      assert.ok(!history.deletions.has(keyOf(body)), `${keyOf(body)} was popped twice`)
      history.deletions.set(keyOf(body), 'acknowledged')
    }
  }
}

function expectStatus(answer: TestAnswer, status: number): true {
  assert.equal(answer.status, status, answer.text)
  return true
}

function random(below: number): number {
  return Math.floor(Math.random() * below)
}
