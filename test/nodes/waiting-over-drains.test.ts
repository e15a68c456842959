/** Who waits for messages on one node is told of what is posted on another one, while the queue moves from pool to pool. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { administer, missingPostgres, newSchema } from '../../packages/server/test/storage/postgres-server.ts'
import { CLIENT_ID, PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { createDatabase } from './database.ts'
import { PooledNode } from './pooled-nodes.ts'

/** As long as the service lets anybody wait: who is not told hears nothing before. */
const WAIT_SECONDS = 20
/** What keeps a mover busy: messages that are claimed, so that nobody sees them, and how many of them go in a second. */
const RECORDS = 100
const RATE = 200
/** More of them could be posted than go. */
const MOST_ROUNDS = 50
const CLAIM = { ttl: 3_600, grace: 60 }

/** Stores, and nodes on them. */
interface Cluster {
  readonly pools: Readonly<Record<'east' | 'west', string>>
  /** The one on which everybody waits, and one on which messages are posted. */
  readonly nodes: readonly [here: PooledNode, there: PooledNode]
  drop(): Promise<void>
}

suite('on files, with one node', false, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-waiting-'))
  const uri = (name: string) => `sqlite:${join(folder, name)}.db`
  const node = await PooledNode.start(uri('own'), folder)
  return {
    pools: { east: uri('east'), west: uri('west') },
    nodes: [node, node],
    async drop() {},
  }
})

suite('on databases, with two nodes', (await missingPostgres()) ?? false, async () => {
  const own = await createDatabase()
  const names = [newSchema(), newSchema()]
  for (const name of names) await administer(own.uri, `CREATE DATABASE ${name}`)
  const [east, west] = names.map((pathname) => Object.assign(new URL(own.uri), { pathname }).href) as [string, string]
  return {
    pools: { east, west },
    nodes: [await PooledNode.start(own.uri), await PooledNode.start(own.uri)],
    async drop() {
      for (const name of names) await administer(own.uri, `DROP DATABASE ${name} WITH (FORCE)`)
      await own.drop()
    },
  }
})

function suite(name: string, skip: string | false, open: () => Promise<Cluster>): void {
  describe(`who waits while a pool is drained, ${name}`, { skip }, () => {
    let cluster: Cluster
    let here: PooledNode
    let there: PooledNode
    let waiting: Waiting
    const send: { close(): void }[] = []

    before(async () => {
      cluster = await open()
      ;[here, there] = cluster.nodes
      await here.putPool('east', cluster.pools.east, 1)
      const clients = [here, there].map(({ url }) => {
        const over = sendOverHttp(url)
        send.push(over)
        return new TestClient(over)
      }) as [TestClient, TestClient]
      waiting = await Waiting.begin(here.url, ...clients)
    })

    after(async () => {
      waiting.end()
      for (const { close } of send) close()
      for (const node of new Set(cluster.nodes)) await node.stop()
      await cluster.drop()
    })

    test('is told of what is posted before', () => waiting.isTold())

    test('is told of what is posted meanwhile', async (t) => {
      await there.putPool('west', cluster.pools.west, 1)
      await there.begin('/v2/pools/east/drain', RATE)
      let rounds = 0
      for (let isOver = false; !isOver && rounds < MOST_ROUNDS; rounds += 1) {
        await waiting.isTold()
        isOver = (await there.look('/v2/pools/east/drain')).ended !== null
      }
      const { queues_moved } = await there.done('/v2/pools/east/drain')
      assert.equal(queues_moved, 3)
      t.diagnostic(`told ${rounds} times while the queues moved`)
    })

    test('is told of what is posted afterwards, having waited since before', async () => {
      await there.putPool('east', cluster.pools.east, 1)
      const told = waiting.wait()
      await there.begin('/v2/pools/west/drain')
      await there.done('/v2/pools/west/drain')
      await waiting.post()
      await told
      await waiting.isTold()
    })
  })
}

/** A long poll, a claim and a follower, each of a queue of its own, on one node; and who posts to those on another. */
class Waiting {
  readonly #here: TestClient
  readonly #there: TestClient
  readonly #socket: WebSocket
  readonly #followed: number[]
  #marker: string | null = null
  #posted = 0

  static async begin(url: string, here: TestClient, there: TestClient): Promise<Waiting> {
    for (const queue of ['polled', 'claimed', 'followed']) {
      const messages = Array.from({ length: RECORDS }, () => ({ body: 'held', ttl: 3_600 }))
      assert.equal((await there.post(`/v2/queues/${queue}/messages`, { messages })).status, 201)
      assert.equal((await there.post(`/v2/queues/${queue}/claims?limit=${RECORDS}`, CLAIM)).status, 201)
    }
    const followed: number[] = []
    return new Waiting(here, there, await follow(url, (body) => followed.push(body)), followed)
  }

  private constructor(here: TestClient, there: TestClient, socket: WebSocket, followed: number[]) {
    this.#here = here
    this.#there = there
    this.#socket = socket
    this.#followed = followed
  }

  end(): void {
    this.#socket.close()
  }

  /** Waits on the one node, posts on the other. */
  async isTold(): Promise<void> {
    const told = this.wait()
    await this.post()
    await told
  }

  async post(): Promise<void> {
    this.#posted += 1
    for (const queue of ['polled', 'claimed', 'followed']) {
      const messages = [{ body: this.#posted, ttl: 3_600 }]
      const answer = await this.#there.post(`/v2/queues/${queue}/messages`, { messages })
      assert.equal(answer.status, 201, answer.text)
    }
  }

  /** Resolves when everybody was told of the next message that is posted, and of no other. */
  async wait(): Promise<void> {
    const next = this.#posted + 1
    await Promise.all([this.#poll(next), this.#claim(next), this.#follow(next)])
  }

  async #poll(next: number): Promise<void> {
    const from = this.#marker === null ? '' : `&marker=${this.#marker}`
    const answer = await this.#here.get(`/v2/queues/polled/messages?echo=true&wait=${WAIT_SECONDS}${from}`)
    const { messages, links } = JSON.parse(answer.text)
    assert.deepEqual(bodiesOf(messages), [next])
    this.#marker = new URL(links[0].href, 'http://any').searchParams.get('marker')
  }

  async #claim(next: number): Promise<void> {
    const answer = await this.#here.post(`/v2/queues/claimed/claims?wait=${WAIT_SECONDS}`, CLAIM)
    assert.equal(answer.status, 201, 'a claim that waits is told')
    assert.deepEqual(bodiesOf(JSON.parse(answer.text).messages), [next])
  }

  async #follow(next: number): Promise<void> {
    await until(() => this.#followed.length >= next, 'a follower is told')
    assert.deepEqual(
      this.#followed,
      Array.from({ length: next }, (_, n) => n + 1),
    )
  }
}

/** Resolves when the follower is there. */
async function follow(url: string, heard: (body: number) => void): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'))
  const answered = Promise.withResolvers<void>()
  const headers = { 'Client-ID': CLIENT_ID, 'X-Project-ID': PROJECT }
  socket.onopen = () =>
    socket.send(JSON.stringify({ action: 'subscription_create', headers, body: { queue_name: 'followed', ttl: 300 } }))
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(String(data))
    if (frame.request === undefined) heard(frame.body)
    else if (frame.headers.status === 201) answered.resolve()
    else answered.reject(new Error(JSON.stringify(frame)))
  }
  socket.onclose = ({ code }) => answered.reject(new Error(`closed with ${code}`))
  await answered.promise
  return socket
}

function bodiesOf(messages: readonly { body: number }[]): number[] {
  return messages.map(({ body }) => body)
}
