import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Send, TestClient } from '../../packages/server/test/support/test-client.ts'
import { residentBytes } from '../support/process-memory.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

const CLIENTS = 100
const QUIET_SECONDS = 4
const ATTACK_SECONDS = 12
const MIB = 1024 * 1024
/** Compiled code and remembered names, in bytes. */
const KEPT_BYTES = 16 * MIB
/** In which no client gives up, in milliseconds: on a busy machine everything takes its time. */
const NOTICED_MS = 1_000

const attackers = fileURLToPath(new URL('attackers.ts', import.meta.url))
const tellMemory = new URL('../support/tell-memory.ts', import.meta.url).href
let service: Service
/** Each with a connection that it keeps. */
let senders: ReturnType<typeof sendOverHttp>[]
after(async () => {
  for (const send of senders) send.close()
  await service.stop()
})

/** One of the clients that behave posts, claims and deletes, and rests a while. Its times are in milliseconds. */
async function work(client: TestClient, number: number, until: number): Promise<number[]> {
  const queue = `/v2/queues/worker-${number}`
  const times: number[] = []
  const timed = async (ask: () => ReturnType<TestClient['send']>, status: number) => {
    const start = performance.now()
    const answer = await ask()
    times.push(performance.now() - start)
    assert.equal(answer.status, status, answer.text)
    return answer
  }
  while (performance.now() < until) {
    await timed(() => client.post(`${queue}/messages`, { messages: [{ body: 'work', ttl: 300 }] }), 201)
    const claim = await timed(() => client.post(`${queue}/claims`, { ttl: 60, grace: 60 }), 201)
    await timed(() => client.delete(JSON.parse(claim.text).messages[0].href), 204)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return times
}

async function workAll(seconds: number): Promise<{ p99: number; requests: number }> {
  const until = performance.now() + seconds * 1000
  const all = await Promise.all(senders.map((send, number) => work(new TestClient(send), number, until)))
  const times = all.flat().sort((a, b) => a - b)
  return { p99: times[Math.floor(times.length * 0.99)] ?? Number.NaN, requests: times.length }
}

/** What the service needs when nobody asks for anything, in bytes. */
async function memoryInUse(): Promise<number> {
  const told = () => [...service.log().matchAll(/memory in use: (\d+) bytes/g)]
  const before = told().length
  process.kill(service.pid, 'SIGUSR2')
  while (told().length === before) await new Promise(setImmediate)
  return Number(told().at(-1)?.[1])
}

test('clients without manners hurt only themselves', { timeout: 180_000 }, async (t) => {
  service = await startService({
    under: ['env', `NODE_OPTIONS=--max-old-space-size=256 --expose-gc --import=${tellMemory}`],
  })
  senders = Array.from({ length: CLIENTS }, () => sendOverHttp(service.url))
  const client = new TestClient(senders[0] as Send)
  for (let i = 0; i < 20; i++) {
    const large = { messages: [{ body: 'x'.repeat(255_000), ttl: 3600 }] }
    assert.equal((await client.post('/v2/queues/large/messages', large)).status, 201)
  }
  // Made when it is first asked for.
  assert.equal((await client.get('/docs')).status, 200)
  await workAll(2)
  const quiet = await workAll(QUIET_SECONDS)
  const before = await memoryInUse()
  let most = 0
  const watching = setInterval(() => {
    most = Math.max(most, residentBytes(service.pid))
  }, 100)
  const attack = spawn(process.execPath, [attackers, String(service.port), String(ATTACK_SECONDS)], {
    stdio: 'inherit',
  })
  const attackEnded = once(attack, 'exit')
  const attacked = await workAll(ATTACK_SECONDS)
  clearInterval(watching)
  assert.deepEqual(await attackEnded, [0, null])
  const later = await workAll(QUIET_SECONDS)
  // What was begun for clients that are gone comes to its end first.
  let after = await memoryInUse()
  for (let tries = 0; after > before + KEPT_BYTES && tries < 60; tries++) after = await memoryInUse()
  const mib = (bytes: number) => Math.round(bytes / MIB)
  t.diagnostic(
    `p99: ${quiet.p99.toFixed(1)} ms, attacked ${attacked.p99.toFixed(1)} ms (${attacked.requests} requests), later ${later.p99.toFixed(1)} ms; ` +
      `memory in use: ${mib(before)} MiB, later ${mib(after)} MiB; resident: at most ${mib(most)} MiB`,
  )
  assert.ok(attacked.p99 <= Math.max(10 * quiet.p99, NOTICED_MS), `p99 went from ${quiet.p99} to ${attacked.p99} ms`)
  assert.ok(after <= before + KEPT_BYTES, `memory went from ${before} to ${after} bytes`)
})
