import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConsumeOptions, Consumer, type MessageHandler } from '../../packages/client/src/consume.ts'
import { Zaqar } from '../../packages/client/src/http.ts'
import { type Service, startService } from '../support/service.ts'
import { openWay, type Way } from '../support/way.ts'

const CONFIG = '[transport]\nmax_messages_per_page = 1000\n'
/** A disaster comes at any instant within so many milliseconds after what it was to come after. */
const SPREAD_MS = 20

let dataDir: string
let service: Service
let way: Way
let consumers: Consumer<number>[]

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'zaqar-consume-'))
  service = await startService({ dataDir, config: CONFIG })
  way = await openWay(service.port)
  consumers = []
})

afterEach(async () => {
  await Promise.all(consumers.map((consumer) => consumer.stop({ release: true })))
  way.close()
  await service.stop()
  rmSync(dataDir, { recursive: true })
})

/** Ends the service as a power cut would, and starts it again. */
async function kill(): Promise<void> {
  const { port } = service
  await service.kill()
  service = await startService({ dataDir, config: CONFIG, port })
}

async function cut(): Promise<void> {
  way.cut()
}

function queue() {
  return new Zaqar({ url: `http://127.0.0.1:${way.port}`, project: 'demo' }).queue('jobs')
}

async function post(count: number): Promise<void> {
  for (let first = 0; first < count; first += 1000) {
    const size = Math.min(1000, count - first)
    await queue().postAll(Array.from({ length: size }, (_, i) => ({ body: first + i })))
  }
}

function consume(handler: MessageHandler<number>, options: ConsumeOptions): void {
  consumers.push(new Consumer<number>(queue(), handler, { retryDelay: 0.05, onError: () => {}, ...options }))
}

/** What handlers see: each body in the order of the handlings, the repeated ones too. */
class Work {
  readonly begun: number[] = []
  readonly done = new Set<number>()
  readonly #all = Promise.withResolvers<void>()
  readonly #count: number
  readonly #disasters: Map<number, () => Promise<void>>
  readonly #happening: Promise<void>[] = []

  /** `disasters`: after so many handlings. */
  constructor(count: number, disasters: readonly [number, () => Promise<void>][]) {
    this.#count = count
    this.#disasters = new Map(disasters)
  }

  readonly handler: MessageHandler<number> = async ({ body }) => {
    const count = this.begun.push(body)
    const disaster = this.#disasters.get(count)
    if (disaster !== undefined) this.#happening.push(sleep(Math.random() * SPREAD_MS).then(disaster))
    await null
    if (Math.random() < 0.01) throw new Error('now and then')
    this.done.add(body)
    if (this.done.size === this.#count) this.#all.resolve()
  }

  async end(): Promise<void> {
    await this.#all.promise
    await Promise.all(this.#happening)
  }

  get share(): string {
    const repeats = this.begun.length - this.#count
    return `${repeats} of ${this.begun.length} handlings were repeats (${((100 * repeats) / this.begun.length).toFixed(2)} %)`
  }
}

test('one message after the other stays in order, whatever happens to handlers, the network and the service', async (t) => {
  const count = 300
  await post(count)
  const disasters = [cut, kill, cut]
  const work = new Work(
    count,
    disasters.map((disaster, i) => [75 + 75 * i, disaster]),
  )
  consume(work.handler, { concurrency: 1 })
  await work.end()
  await Promise.all(consumers.map((consumer) => consumer.stop()))
  assert.deepEqual([...new Set(work.begun)], [...work.done])
  assert.deepEqual(
    work.begun,
    [...work.begun].sort((a, b) => a - b),
  )
  assert.equal((await queue().stats()).total, 0)
  t.diagnostic(work.share)
})

test('ten consumers handle each of three thousand messages, whatever happens', async (t) => {
  const count = 3_000
  await post(count)
  const disasters = [cut, kill, cut]
  const work = new Work(
    count,
    disasters.map((disaster, i) => [750 + 750 * i, disaster]),
  )
  for (let i = 0; i < 10; i++) consume(work.handler, { concurrency: 10 })
  await work.end()
  await Promise.all(consumers.map((consumer) => consumer.stop()))
  assert.equal((await queue().stats()).total, 0)
  t.diagnostic(work.share)
})
