import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import { breaking, brokenBodies, fitting } from '../../packages/server/test/openapi/arbitraries.ts'
import {
  fetchDocument,
  operationsOf,
  type PlacedOperation,
  type Schema,
} from '../../packages/server/test/openapi/document.ts'
import { HOSTILE_TEXTS } from '../../packages/server/test/support/hostile.ts'
import { RawSocket } from '../../packages/server/test/support/raw-socket.ts'
import { CLIENT_ID, PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { residentBytes } from '../support/process-memory.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const REQUESTS = 4_000
const AT_ONCE = 20
const MIB = 1024 * 1024
/** More than that would be a leak, in bytes: these requests hold a few megabytes at one time. */
const GROWTH = 300 * MIB
/** For any other client, in milliseconds. */
const LONGEST_DELAY = 2_000

let service: Service
let send: ReturnType<typeof sendOverHttp>

before(async () => {
  service = await startService({ config: '[DEFAULT]\nadmin_mode = true\n[http]\nrequest_timeout = 1\n' })
  send = sendOverHttp(service.url)
})
after(async () => {
  send.close()
  await service.stop()
})

test(`requests at random, torn and mangled, harm nobody (FUZZ_SEED=${SEED})`, { timeout: 240_000 }, async (t) => {
  const operations = operationsOf(await fetchDocument(send))
  const attempts = fc.sample(attemptsOn(operations), { numRuns: REQUESTS, seed: SEED })
  const before = residentBytes(service.pid)
  let most = before
  let longest = 0
  let isOver = false
  const watching = (async () => {
    const client = new TestClient(send)
    while (!isOver) {
      const start = performance.now()
      assert.equal((await client.get('/v2/queues/watched/stats')).status, 200)
      longest = Math.max(longest, performance.now() - start)
      most = Math.max(most, residentBytes(service.pid))
    }
  })()
  const statuses = new Map<number, number>()
  let next = 0
  const worker = async () => {
    for (let attempt = attempts[next++]; attempt !== undefined; attempt = attempts[next++]) {
      // An answer to HEAD says how long its body would be, so what follows it cannot be told apart.
      for (const status of (await carryOut(attempt)).filter(Number.isFinite)) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        assert.notEqual(status, 500, `${JSON.stringify(attempt.pieces.map(String))} is answered 500`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  isOver = true
  await watching
  assert.ok(service.isRunning(), service.log())
  assert.equal(service.log(), '')
  assert.ok(most - before < GROWTH, `memory went from ${before} to ${most} bytes`)
  assert.ok(longest < LONGEST_DELAY, `another client waited ${longest} ms`)
  const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`)
  t.diagnostic(`${counts.join(', ')}; memory grew by ${Math.round((most - before) / MIB)} MiB at most`)
  t.diagnostic(`another client waited ${longest.toFixed(0)} ms at most`)
})

type Bytes = Buffer<ArrayBuffer>

interface Attempt {
  /** Sent one by one. */
  readonly pieces: readonly Uint8Array[]
  readonly ending: 'listen' | 'half-close' | 'reset'
}

/** The statuses of the answers. */
async function carryOut({ pieces, ending }: Attempt): Promise<number[]> {
  const socket = await RawSocket.connect(service.port)
  for (const piece of pieces) await socket.write(piece)
  if (ending === 'reset') {
    socket.reset()
    return []
  }
  if (ending === 'half-close') socket.halfClose('')
  const answers = await socket.answers()
  socket.destroy()
  return answers.map(({ status }) => status)
}

function attemptsOn(operations: readonly PlacedOperation[]): Arbitrary<Attempt> {
  const requests = fc.oneof(...operations.map(requestTo))
  const streams = fc.array(requests, { minLength: 1, maxLength: 3 }).map((some) => Buffer.concat(some))
  const last = Buffer.from(head('GET', '/', { Connection: 'close' }, 0))
  return fc
    .tuple(
      streams,
      fc.oneof(fc.constant([]), fc.array(mutation, { maxLength: 4 })),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
      ending,
    )
    .map(([stream, mutations, cuts, ending]) => {
      const bytes = Buffer.concat([mutations.reduce((mangled, mutate) => mutate(mangled), stream), last])
      const places = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length]
      return { pieces: places.slice(1).map((place, i) => bytes.subarray(places[i], place)), ending }
    })
}

const ending = fc.constantFrom<Attempt['ending']>('listen', 'listen', 'half-close', 'reset')
const place = fc.double({ min: 0, max: 1, noNaN: true })

/** What happens to bytes on their way. */
const mutation: Arbitrary<(bytes: Bytes) => Bytes> = fc.oneof(
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 20 })).map(([at, more]) => (bytes: Bytes) => {
    const index = Math.floor(at * bytes.length)
    return Buffer.concat([bytes.subarray(0, index), more, bytes.subarray(index)])
  }),
  fc.tuple(place, fc.nat(50)).map(([at, length]) => (bytes: Bytes) => {
    const index = Math.floor(at * bytes.length)
    return Buffer.concat([bytes.subarray(0, index), bytes.subarray(index + length)])
  }),
  fc.tuple(place, place).map(([from, to]) => (bytes: Bytes) => {
    const [start, end] = [from, to].map((at) => Math.floor(at * bytes.length)).sort((a, b) => a - b) as [number, number]
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)])
  }),
  fc.tuple(place, fc.nat(255)).map(([at, byte]) => (bytes: Bytes) => {
    const changed = Buffer.from(bytes)
    changed[Math.floor(at * (bytes.length - 1))] = byte
    return changed
  }),
)

/** A request to one operation: fitting, breaking a rule, or with a hostile text in some place. */
function requestTo({ path, method, operation }: PlacedOperation): Arbitrary<Bytes> {
  const texts = fc.constantFrom(...HOSTILE_TEXTS, 'jobs', 'jobs', 'news', 'east', 'gold')
  const parameters = (operation.parameters ?? []) as Schema[]
  const query = fc.tuple(
    ...parameters
      .filter((one) => one.in === 'query')
      .map((one) =>
        fc
          .option(fc.oneof(fitting(one.schema), texts))
          .map((value) => (value === null ? null : `${one.name}=${value}`)),
      ),
  )
  const content = Object.values<Schema>(operation.requestBody?.content ?? {})[0]
  const bodies =
    content === undefined ? fc.oneof(fc.constant(''), brokenBodies) : fc.oneof(asJson(content.schema), brokenBodies)
  const headers = fc.constantFrom<Record<string, string>>(
    {},
    {},
    { Accept: `text/html${';q=0.1'.repeat(500)}` },
    { 'Client-ID': '{'.repeat(20_000) },
    { 'Transfer-Encoding': 'chunked' },
    { Expect: '100-continue' },
    { 'Idempotency-Key': 'x'.repeat(300) },
    { Host: 'other.example' },
    { 'URL-Signature': 'nonsense', 'URL-Expires': 'never' },
  )
  const names = fc.array(texts, { minLength: 4, maxLength: 4 })
  return fc.tuple(names, query, bodies, headers).map(([given, some, body, more]) => {
    let used = 0
    const filled = path.replace(/\{\w+\}/g, () => given[used++ % given.length] as string)
    const asked = some.filter((one) => one !== null).join('&')
    const bytes = Buffer.from(body as string)
    const target = encodeURI(asked === '' ? filled : `${filled}?${asked.replace(/wait=\d+/, 'wait=0')}`)
    return Buffer.concat([Buffer.from(head(method, target, more, bytes.length)), bytes])
  })
}

function asJson(schema: Schema): Arbitrary<string | Uint8Array> {
  return fc.oneof(fitting(schema), ...breaking(schema)).map((value) => JSON.stringify(value))
}

function head(method: string, target: string, headers: Readonly<Record<string, string>>, bytes: number): string {
  const all = {
    Host: 'localhost',
    'Client-ID': CLIENT_ID,
    'X-Project-Id': PROJECT,
    'Content-Length': String(bytes),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}
