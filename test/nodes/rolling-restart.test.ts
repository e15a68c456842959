/** Two nodes behind HAProxy, as docs/operate.md says it, are restarted one after the other, and their clients do not notice. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Unreachable, Zaqar } from 'zaqar-client'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { EventReader } from '../../packages/server/test/support/events.ts'
import { CLIENT_ID, PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { missingPeer } from '../support/peers.ts'
import { freePort, type RunningProxy, startProxy } from '../support/proxy.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { createDatabase } from './database.ts'

const CONFIGURATION = new URL('../../deploy/haproxy/haproxy.cfg', import.meta.url)
const RESTARTS = 2
/** Between two posts of one poster, in milliseconds: the restarts take their time, and the machine is small. */
const PAUSE_MS = 25
/** So many more messages show that a client goes on. */
const FURTHER = 5
/** A marker before all messages. */
const BEGINNING = '0'
/** The last of the news. */
const LAST = -1

interface Answer {
  readonly status: number
  readonly messages: readonly { href: string; body: number }[]
  /** Where a listing goes on. */
  readonly next: string | undefined
}

const skip = (await missingPostgres()) ?? missingPeer('haproxy')

test('no request fails while each of two nodes is restarted twice', { skip, timeout: 90_000 }, async (t) => {
  const configuration = readFileSync(CONFIGURATION, 'utf8')
  const delay = /^# +(graceful_shutdown_delay = \d+)$/m.exec(configuration)?.[1]
  assert.ok(delay !== undefined, 'the file does not say what the nodes need')
  const database = await createDatabase()
  const start = (port = 0) => startService({ port, args: ['--storage', database.uri], config: `[DEFAULT]\n${delay}\n` })
  const nodes = await Promise.all([start(), start()])
  t.after(async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    await database.drop()
  })
  const proxy = await balance(t, configuration, nodes)
  const clients = new Clients(proxy.url)
  t.after(() => clients.stop())
  await clients.goOn()
  for (let restart = 0; restart < RESTARTS; restart++) {
    for (const [i, node] of nodes.entries()) {
      await node.stop()
      await clients.goOn()
      nodes[i] = await start(node.port)
      await until(() => proxy.said().split(`nodes/node${i + 1} is UP`).length === restart + 2, proxy.said())
      await clients.goOn()
    }
  }
  await clients.stop()
  t.diagnostic(
    `${clients.answered} requests, ${clients.breaks} event streams and ${clients.farewells} sockets were ended and went on`,
  )
  assert.deepEqual(clients.failures, [])
  assert.ok(clients.breaks > 0 && clients.farewells > 0, 'no event stream, or no socket, met a restart')
  assert.deepEqual(new Set(clients.done), new Set(clients.posted), 'what was done is not what was posted')
  assert.equal(clients.done.length, clients.posted.length, 'something was done twice')
  for (const heard of [clients.polled, clients.streamed, clients.pushed]) assert.deepEqual(heard, clients.told)
})

/** HAProxy with the configuration of this repository, for these nodes, without TLS. Resolves when it serves. */
async function balance(t: TestContext, configuration: string, nodes: readonly Service[]): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-haproxy-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const port = await freePort()
  let text = configuration.replace(/bind :443 .*/, `bind 127.0.0.1:${port}`)
  for (const [i, node] of nodes.entries()) text = text.replace(`10.0.0.1${i + 1}:8888`, `127.0.0.1:${node.port}`)
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, text)
  const proxy = await startProxy(['/usr/sbin/haproxy', '-db', '-f', file], `http://127.0.0.1:${port}`)
  t.after(proxy.stop)
  return proxy
}

/** Ask the service in all ways until they are stopped, and repeat nothing. */
class Clients {
  readonly #url: string
  readonly #send: ReturnType<typeof sendOverHttp>
  readonly #client: TestClient
  readonly #zaqar: Zaqar
  readonly #posters: Promise<unknown>
  readonly #others: Promise<unknown>
  #isStopping = false
  #isAllPosted = false
  /** Once something has failed nobody waits for anything. */
  readonly #failed = new AbortController()
  #stopped: Promise<void> | null = null
  answered = 0
  /** Event streams that the service has ended. */
  breaks = 0
  /** Sockets that the service has closed. */
  farewells = 0
  readonly failures: string[] = []
  /** Jobs, and those that were claimed and deleted. */
  readonly posted: number[] = []
  readonly done: number[] = []
  /** News that one client posted, and what those heard who follow them. */
  readonly told: number[] = []
  readonly polled: number[] = []
  readonly streamed: number[] = []
  readonly pushed: number[] = []

  constructor(url: string) {
    this.#url = url
    this.#send = sendOverHttp(url)
    this.#client = new TestClient(this.#send)
    this.#zaqar = new Zaqar({ url, project: PROJECT, clientId: CLIENT_ID, retries: 0 })
    this.#posters = this.#all([this.#postJobs(0, () => undefined), this.#postJobs(1, randomUUID), this.#tell()])
    this.#others = this.#all([this.#work(), this.#work(), this.#poll(), this.#stream(), this.#listen()])
  }

  /** Resolves when each of them has come further. */
  async goOn(): Promise<void> {
    const ways = [this.posted, this.done, this.told, this.polled, this.streamed, this.pushed]
    const before = ways.map(({ length }) => length)
    const isFurther = () =>
      this.failures.length > 0 || ways.every(({ length }, i) => length > (before[i] as number) + FURTHER)
    await until(isFurther, 'some client waits in vain')
    assert.deepEqual(this.failures, [])
  }

  /** When all that was posted has come where it belongs, or something has failed. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#isStopping = true
    await this.#posters
    this.#isAllPosted = true
    await this.#others
    this.#send.close()
    this.#zaqar.close()
  }

  #all(work: readonly Promise<void>[]): Promise<unknown> {
    return Promise.all(work.map((one) => one.catch((error) => this.#fail(error))))
  }

  #fail(error: unknown): void {
    if (this.#failed.signal.aborted) return
    this.failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
    this.#failed.abort()
  }

  #hasHeardAll(heard: readonly number[]): boolean {
    return this.#failed.signal.aborted || heard.at(-1) === LAST
  }

  async #ask(
    request: string,
    statuses: readonly number[],
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const [method = '', target = ''] = request.split(' ')
    const { status, text } = await this.#client.send(method, target, body, { headers })
    assert.ok(statuses.includes(status), `${request}: ${status} ${text}`)
    this.answered += 1
    const { messages = [], links = [] } = text === '' ? {} : JSON.parse(text)
    return { status, messages, next: links[0]?.href }
  }

  /** Even numbers or odd ones. */
  async #postJobs(first: number, newKey: () => string | undefined): Promise<void> {
    for (let number = first; !this.#isStopping; number += 2) {
      const key = newKey()
      const headers = key === undefined ? {} : { 'Idempotency-Key': key }
      await this.#post('jobs', number, headers)
      this.posted.push(number)
      await sleep(PAUSE_MS)
    }
  }

  async #tell(): Promise<void> {
    for (let number = 0; !this.#isStopping; number++) {
      await this.#post('news', number)
      this.told.push(number)
      await sleep(PAUSE_MS)
    }
    await this.#post('news', LAST)
    this.told.push(LAST)
  }

  async #post(queue: string, body: number, headers: Record<string, string> = {}): Promise<void> {
    await this.#ask(`POST /v2/queues/${queue}/messages`, [201], { messages: [{ body, ttl: 300 }] }, headers)
  }

  async #work(): Promise<void> {
    while (!this.#failed.signal.aborted && !(this.#isAllPosted && this.done.length >= this.posted.length)) {
      const terms = { ttl: 60, grace: 60 }
      const { messages } = await this.#ask('POST /v2/queues/jobs/claims?limit=5&wait=1', [201, 204], terms)
      for (const { href, body } of messages) {
        await this.#ask(`DELETE ${href}`, [204])
        this.done.push(body)
      }
    }
  }

  async #poll(): Promise<void> {
    let href = '/v2/queues/news/messages?echo=true'
    while (!this.#hasHeardAll(this.polled)) {
      const { messages, next = href } = await this.#ask(`GET ${href}&wait=2`, [200])
      this.polled.push(...messages.map(({ body }) => body))
      href = next
    }
  }

  async #stream(): Promise<void> {
    const reader = new EventReader()
    const identity = { 'Client-ID': CLIENT_ID, 'X-Project-ID': PROJECT }
    const { signal } = this.#failed
    while (!this.#hasHeardAll(this.streamed)) {
      const headers = { ...identity, Accept: 'text/event-stream', 'Last-Event-ID': reader.lastId || BEGINNING }
      const response = await fetch(`${this.#url}/v2/queues/news/messages?echo=true`, { headers, signal })
      assert.equal(response.status, 200)
      this.answered += 1
      const decoder = new TextDecoder()
      // Throws where the stream is cut off rather than ended.
      for await (const bytes of response.body as ReadableStream<Uint8Array>) {
        reader.read(decoder.decode(bytes, { stream: true }))
        this.streamed.push(...reader.events.splice(0).map(({ data }) => JSON.parse(data).body as number))
        if (this.#hasHeardAll(this.streamed)) return
      }
      this.breaks += 1
    }
  }

  async #listen(): Promise<void> {
    const subscriber = this.#zaqar.queue('news').subscribe<number>(
      ({ body }) => {
        this.pushed.push(body)
        if (body === LAST) subscriber.stop()
      },
      {
        from: 'start',
        transports: ['socket'],
        signal: this.#failed.signal,
        onError: (error) => {
          // It is told so, comes back to the other node, and goes on where it was.
          if (error instanceof Unreachable && error.message.includes(': 1001 ')) this.farewells += 1
          else this.#fail(error)
        },
      },
    )
    await subscriber.ended
  }
}
