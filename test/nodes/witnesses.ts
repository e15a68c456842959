import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Send, TestClient } from '../../packages/server/test/support/test-client.ts'
import { sendOverHttp } from '../support/send-over-http.ts'

const MESSAGES = 200
const PER_POST = 20
const CLAIMED = 5
/** Of a page; where its link leads is the marker that is looked at. */
const PAGE = 70
/** Longer than any test lasts. */
const CLAIM_TERMS = { ttl: 43_200, grace: 60 }
/** Of a queue that is asked without end. */
const PAUSE_MS = 5

interface Shown {
  readonly id: string
  readonly body: number
}

/** A queue that nobody changes. */
interface Witness {
  readonly queue: string
  readonly shown: readonly Shown[]
  /** Path of the page behind the first one. */
  readonly next: string
  /** Path of a claim, and the messages that it holds. */
  readonly claim: string
  readonly held: readonly number[]
}

/** Queues whose ids, markers and claims stay good, wherever they lie. */
export class Witnesses {
  readonly #all: readonly Witness[]

  static async make(url: string, count: number): Promise<Witnesses> {
    return asking(url, async (client) => {
      const all: Witness[] = []
      for (let n = 0; n < count; n++) all.push(await make(client, `witness-${n}`))
      return new Witnesses(all)
    })
  }

  private constructor(all: readonly Witness[]) {
    this.#all = all
  }

  async check(url: string): Promise<void> {
    await asking(url, async (client) => {
      for (const witness of this.#all) await check(client, witness)
    })
  }

  /** Finishes what was claimed before, and claims what is left: the queues are done with. */
  async finish(url: string): Promise<void> {
    await asking(url, async (client) => {
      for (const { queue, claim, held, shown } of this.#all) {
        const [, claimId] = claim.split('/claims/')
        for (const body of held) {
          const id = shown.find((one) => one.body === body)?.id
          const deleted = await client.delete(`/v2/queues/${queue}/messages/${id}?claim_id=${claimId}`)
          assert.equal(deleted.status, 204, deleted.text)
        }
        const rest = await client.post(`/v2/queues/${queue}/claims?limit=1000`, CLAIM_TERMS)
        assert.deepEqual(
          bodiesIn(rest.text),
          shown.map(({ body }) => body).filter((body) => !held.includes(body)),
        )
      }
    })
  }

  /**
   * Asks for a message of each queue without end. Answers the function that ends it, which answers how long the slowest
   * answer of each queue took, in milliseconds, the shortest first.
   */
  watch(url: string): () => Promise<number[]> {
    let isOver = false
    const send = sendOverHttp(url)
    const client = new TestClient(send)
    const slowest = this.#all.map(async ({ queue, shown }) => {
      const target = `/v2/queues/${queue}/messages/${shown[0]?.id}`
      let longest = 0
      while (!isOver) {
        const begun = performance.now()
        const answer = await client.get(target)
        longest = Math.max(longest, performance.now() - begun)
        assert.equal(answer.status, 200, answer.text)
        await sleep(PAUSE_MS * this.#all.length)
      }
      return longest
    })
    return async () => {
      isOver = true
      const all = await Promise.all(slowest)
      send.close()
      return all.map(Math.round).sort((a, b) => a - b)
    }
  }
}

async function asking<T>(url: string, act: (client: TestClient) => Promise<T>): Promise<T> {
  const send: Send & { close(): void } = sendOverHttp(url)
  try {
    return await act(new TestClient(send))
  } finally {
    send.close()
  }
}

async function make(client: TestClient, queue: string): Promise<Witness> {
  const shown: Shown[] = []
  for (let first = 0; first < MESSAGES; first += PER_POST) {
    const bodies = Array.from({ length: PER_POST }, (_, i) => first + i)
    const messages = bodies.map((body) => ({ body, ttl: 86_400 }))
    const answer = await client.post(`/v2/queues/${queue}/messages`, { messages })
    assert.equal(answer.status, 201, answer.text)
    const { resources } = JSON.parse(answer.text) as { resources: string[] }
    shown.push(...resources.map((path, i) => ({ id: path.split('/').at(-1) as string, body: bodies[i] as number })))
  }
  const page = await client.get(`/v2/queues/${queue}/messages?limit=${PAGE}&echo=true&include_claimed=true`)
  const claimed = await client.post(`/v2/queues/${queue}/claims?limit=${CLAIMED}`, CLAIM_TERMS)
  return {
    ...{ queue, shown, next: JSON.parse(page.text).links[0].href },
    ...{ claim: claimed.headers['location'] as string, held: bodiesIn(claimed.text) },
  }
}

async function check(client: TestClient, { queue, shown, next, claim, held }: Witness): Promise<void> {
  const bodies = shown.map(({ body }) => body)
  const whole = await client.get(`/v2/queues/${queue}/messages?limit=1000&echo=true&include_claimed=true`)
  assert.deepEqual(bodiesIn(whole.text), bodies, queue)
  const behind = await client.get(next.replace(/limit=\d+/, 'limit=1000'))
  assert.deepEqual(bodiesIn(behind.text), bodies.slice(PAGE), `${queue}: the marker`)
  for (const { id, body } of [shown[0], shown[CLAIMED], shown.at(-1)] as Shown[]) {
    const answer = await client.get(`/v2/queues/${queue}/messages/${id}`)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(JSON.parse(answer.text).body, body)
  }
  const live = await client.get(claim)
  assert.equal(live.status, 200, live.text)
  assert.deepEqual(bodiesIn(live.text), held, `${queue}: the claim`)
}

function bodiesIn(text: string): number[] {
  return (JSON.parse(text).messages as { body: number }[]).map(({ body }) => body)
}
