import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { tries } from '../../packages/server/test/support/tries.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { createDatabase } from '../nodes/database.ts'
import { startReceiver } from '../support/receiver.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

const QUEUES = 8
const SUBSCRIPTIONS = 3
const LONGEST_ROUND_MS = 400
/** Longer than a lease of a node that was killed, and whatever was left to deliver. */
const PATIENCE_MS = 90_000
/** Tries may not take long, so leases are short. */
const CONFIG = `
[notification]
connect_timeout = 2
headers_timeout = 2
request_timeout = 3
smtp_timeout = 3
`

/** Numbers that one poster puts into one queue, in order, and what its subscriptions were told. */
class Line {
  readonly queue: string
  readonly accepted: number[] = []
  /** By subscription: numbers in the order in which they came, the first time. */
  readonly told: Set<number>[] = Array.from({ length: SUBSCRIPTIONS }, () => new Set())
  repeats = 0
  #next = 0

  constructor(queue: string) {
    this.queue = queue
  }

  hear(subscription: number, number: number): void {
    const told = this.told[subscription]
    assert.ok(told)
    if (told.has(number)) this.repeats += 1
    told.add(number)
  }

  /** Posts one number after the other until the service is gone, or it is over. */
  async post(url: string, isOver: () => boolean): Promise<void> {
    const send = sendOverHttp(url)
    const client = new TestClient(send)
    try {
      while (!isOver()) {
        const n = this.#next++
        const answer = await client.post(`/v2/queues/${this.queue}/messages`, { messages: [{ body: n, ttl: 3600 }] })
        assert.equal(answer.status, 201, answer.text)
        this.accepted.push(n)
      }
    } catch (error) {
      // Whether the last one was accepted nobody knows.
      if (error instanceof assert.AssertionError) throw error
    } finally {
      send.close()
    }
  }

  get isDelivered(): boolean {
    return this.told.every((told) => this.accepted.every((number) => told.has(number)))
  }

  checkOrder(): void {
    for (const told of this.told) {
      const order = [...told]
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
        `${this.queue}: a later message came first`,
      )
    }
  }
}

/** Keeps `nodes` services under load, kills each as often as `rounds`, and checks that everybody was told everything. */
async function killUnderLoad(start: () => Promise<Service>, { rounds, nodes }: { rounds: number; nodes: number }) {
  const lines = Array.from({ length: QUEUES }, (_, i) => new Line(`events-${i}`))
  const receiver = await startReceiver((path, body) => {
    const [, queue, subscription] = path.split('/')
    lines[Number(queue)]?.hear(Number(subscription), JSON.parse(body).body)
    return 200
  })
  try {
    let running = await Promise.all(Array.from({ length: nodes }, start))
    const [first] = running
    assert.ok(first)
    await subscribe(first.url, receiver.url, lines)
    for (let round = 0; round < rounds; round++) {
      let isOver = false
      const posting = lines.map((line, i) => line.post(running[i % nodes]?.url ?? '', () => isOver))
      for (const node of running) {
        await sleep(Math.random() * LONGEST_ROUND_MS)
        await node.kill()
      }
      isOver = true
      await Promise.all(posting)
      running = await Promise.all(Array.from({ length: nodes }, start))
    }
    await until(() => lines.every((line) => line.isDelivered), 'something was not delivered', PATIENCE_MS)
    await Promise.all(running.map((node) => node.stop()))
    for (const line of lines) line.checkOrder()
    const sum = (of: (line: Line) => number) => lines.reduce((all, line) => all + of(line), 0)
    const accepted = sum((line) => line.accepted.length)
    assert.ok(accepted > 0, 'the kills met no work')
    const repeats = sum((line) => line.repeats)
    const share = ((100 * repeats) / (accepted * SUBSCRIPTIONS)).toFixed(1)
    return `${accepted} messages to ${SUBSCRIPTIONS} subscriptions each, ${repeats} repeats (${share} %)`
  } finally {
    await receiver.close()
  }
}

async function subscribe(url: string, receiver: string, lines: readonly Line[]): Promise<void> {
  const send = sendOverHttp(url)
  const client = new TestClient(send)
  for (const [i, { queue }] of lines.entries()) {
    for (let subscription = 0; subscription < SUBSCRIPTIONS; subscription++) {
      const subscriber = `${receiver}/${i}/${subscription}`
      const answer = await client.post(`/v2/queues/${queue}/subscriptions`, { subscriber, ttl: 3600 })
      assert.equal(answer.status, 201, answer.text)
    }
  }
  send.close()
}

test('every accepted message is told to every subscription, in order, though the service is killed again and again', async (t) => {
  // Stays when the test fails.
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-crash-'))
  const start = async () => {
    const service = await startService({ dataDir, config: CONFIG })
    t.after(() => service.kill())
    return service
  }
  t.diagnostic(await killUnderLoad(start, { rounds: tries(8, 20), nodes: 1 }))
  rmSync(dataDir, { recursive: true })
})

const missing = await missingPostgres()

test('two nodes tell every subscription every accepted message, in order, though they are killed again and again', {
  skip: missing ?? false,
}, async (t) => {
  const database = await createDatabase()
  const started: Service[] = []
  t.after(async () => {
    await Promise.all(started.map((node) => node.kill()))
    await database.drop()
  })
  const start = async () => {
    const node = await startService({ args: ['--storage', database.uri], config: CONFIG })
    started.push(node)
    return node
  }
  t.diagnostic(await killUnderLoad(start, { rounds: tries(3, 10), nodes: 2 }))
})
