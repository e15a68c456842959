/** Messages are pushed to sockets of one node, whichever node they are posted and consumed on. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { createDatabase, type SharedDatabase } from './database.ts'

const CLIENT_ID = '3381af92-2b9e-11e3-b191-71861300734c'
const PROJECT = 'sockets'
/** So many messages show that something goes on. */
const SOME = 40

describe('sockets of two nodes on one database', { skip: (await missingPostgres()) ?? false }, () => {
  let database: SharedDatabase
  let here: Node
  let there: Node

  before(async () => {
    database = await createDatabase()
    ;[here, there] = await Promise.all([startNode(database.uri), startNode(database.uri)])
  })
  after(async () => {
    await Promise.all([here.stop(), there.stop()])
    await database.drop()
  })

  test('a subscriber is told in order of all that is posted on the other, also of what is taken away there at once', async (t) => {
    const subscriber = await subscribed(t, here, 'taken-at-once')
    const poster = start(t, new Poster(there, 'taken-at-once'))
    const consumer = start(t, new Consumer(there, 'taken-at-once'))
    await poster.goesOn()
    const posted = await poster.stop()
    await until(() => consumer.taken.length === posted.length, 'not all was taken')
    await subscriber.hears(posted.length)
    assert.deepEqual(subscriber.heard, posted)
  })

  test('a subscriber of both is told once on each socket', async (t) => {
    const subscribers = [await subscribed(t, here, 'both'), await subscribed(t, there, 'both')]
    const posters = [start(t, new Poster(here, 'both')), start(t, new Poster(there, 'both', 1_000_000))]
    for (const poster of posters) await poster.goesOn()
    const posted = (await Promise.all(posters.map((poster) => poster.stop()))).flat()
    for (const subscriber of subscribers) await subscriber.hears(posted.length)
    const [one, other] = subscribers.map(({ heard }) => heard)
    assert.deepEqual(
      one?.toSorted((a, b) => a - b),
      posted,
    )
    assert.deepEqual(one, other)
  })

  test('a subscriber whose node is killed goes on at another from its marker: nothing that stands is lost, none comes twice', async (t) => {
    const doomed = await startNode(database.uri)
    t.after(() => doomed.service.kill())
    const subscriber = await subscribed(t, doomed, 'killed')
    const poster = start(t, new Poster(here, 'killed'))
    const consumer = start(t, new Consumer(there, 'killed'))
    await poster.goesOn()
    await subscriber.hears(SOME)
    await consumer.stop()
    await poster.goesOn()
    await doomed.service.kill()
    await subscriber.isAway()
    await poster.goesOn()
    await subscriber.connect(there)
    await subscriber.hears(subscriber.heard.length + SOME)
    const another = start(t, new Consumer(there, 'killed'))
    await poster.goesOn()
    const posted = await poster.stop()
    await until(() => subscriber.heard.at(-1) === posted.at(-1), 'the last message does not come')

    const { heard } = subscriber
    assert.deepEqual(
      heard,
      [...new Set(heard)].toSorted((a, b) => a - b),
      'repeated, or out of order',
    )
    const taken = new Set(consumer.taken)
    const lost = posted.filter((number) => !heard.includes(number) && !taken.has(number))
    assert.deepEqual(lost, [])
    assert.ok(taken.size > 0 && another.taken.length > 0, 'the kill met no consumer')
  })
})

interface Node {
  readonly service: Service
  readonly client: TestClient
  stop(): Promise<void>
}

async function startNode(storage: string): Promise<Node> {
  const service = await startService({ args: ['--storage', storage] })
  const send = sendOverHttp(service.url)
  return {
    service,
    client: new TestClient(send, { 'X-Project-Id': PROJECT }),
    async stop() {
      send.close()
      await service.stop()
    },
  }
}

async function subscribed(t: TestContext, node: Node, queue: string): Promise<Subscriber> {
  const subscriber = new Subscriber(queue)
  t.after(() => subscriber.close())
  await subscriber.connect(node)
  return subscriber
}

/** As a page would: it knows where to go on. */
class Subscriber {
  readonly #queue: string
  #socket: WebSocket | null = null
  #marker: string | undefined
  /** Bodies, in the order in which they came. */
  readonly heard: number[] = []

  constructor(queue: string) {
    this.#queue = queue
  }

  /** Resolves when it is subscribed. */
  async connect({ service }: Node): Promise<void> {
    const socket = new WebSocket(service.url.replace('http', 'ws'))
    this.#socket = socket
    const answered = Promise.withResolvers<void>()
    socket.onopen = () => {
      const headers = { 'Client-ID': CLIENT_ID, 'X-Project-ID': PROJECT }
      const body = { queue_name: this.#queue, ttl: 300, options: { _with_ids: true }, marker: this.#marker }
      socket.send(JSON.stringify({ action: 'subscription_create', headers, body }))
    }
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data))
      if (frame.request === undefined) {
        this.heard.push(frame.body)
        this.#marker = frame.marker
      } else if (frame.headers.status === 201) {
        this.#marker ??= frame.body.marker
        answered.resolve()
      } else answered.reject(new Error(JSON.stringify(frame)))
    }
    socket.onclose = ({ code }) => answered.reject(new Error(`closed with ${code}`))
    await answered.promise
  }

  async hears(count: number): Promise<void> {
    await until(() => this.heard.length >= count, `only ${this.heard.length} of ${count} messages came`)
  }

  async isAway(): Promise<void> {
    await until(() => this.#socket?.readyState === WebSocket.CLOSED)
  }

  close(): void {
    this.#socket?.close()
  }
}

/** Goes on until it is stopped, at the end of the test at the latest. */
function start<T extends { stop(): Promise<unknown> }>(t: TestContext, worker: T): T {
  t.after(() => worker.stop())
  return worker
}

/** Posts one number after the other. */
class Poster {
  readonly #messages: string
  readonly #client: TestClient
  readonly #posted: number[] = []
  readonly #first: number
  #isStopped = false
  readonly #done: Promise<void>

  constructor({ client }: Node, queue: string, first = 0) {
    this.#messages = `/v2/queues/${queue}/messages`
    this.#client = client
    this.#first = first
    this.#done = this.#post()
  }

  /** Resolves when some more are posted. */
  async goesOn(): Promise<void> {
    const wanted = this.#posted.length + SOME
    await until(() => this.#posted.length >= wanted)
  }

  /** Answers all of them. */
  async stop(): Promise<number[]> {
    this.#isStopped = true
    await this.#done
    return this.#posted
  }

  async #post(): Promise<void> {
    while (!this.#isStopped) {
      const number = this.#first + this.#posted.length
      const answer = await this.#client.post(this.#messages, { messages: [{ body: number, ttl: 300 }] })
      assert.equal(answer.status, 201, answer.text)
      this.#posted.push(number)
    }
  }
}

/** Claims what there is and deletes it at once. */
class Consumer {
  readonly #queue: string
  readonly #client: TestClient
  #isStopped = false
  readonly #done: Promise<void>
  readonly taken: number[] = []

  constructor({ client }: Node, queue: string) {
    this.#queue = `/v2/queues/${queue}`
    this.#client = client
    this.#done = this.#consume()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#done
  }

  async #consume(): Promise<void> {
    while (!this.#isStopped) {
      const claim = await this.#client.post(`${this.#queue}/claims?limit=20&wait=1`, { ttl: 60, grace: 60 })
      if (claim.status === 204) continue
      const { messages } = JSON.parse(claim.text) as { messages: { id: string; body: number; href: string }[] }
      const ids = messages.map(({ id }) => id).join(',')
      const deleted = await this.#client.delete(`${this.#queue}/messages?ids=${ids}`)
      assert.equal(deleted.status, 204, deleted.text)
      this.taken.push(...messages.map(({ body }) => body))
    }
  }
}
