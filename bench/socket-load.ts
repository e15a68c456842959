/**
 * The load over WebSockets: a process of its own, as load.ts, that performs one task after the other for its parent (see
 * sockets.ts).
 */
import { setTimeout as pause } from 'node:timers/promises'
import { pack, unpack } from 'msgpackr'
import { Connection } from './connection.ts'
import { usageOf } from './process-usage.ts'
import { binaryFrame, SocketConnection, textFrame } from './socket-connection.ts'
import { CLIENT_ID, PROJECT, requestBytes, type Target } from './target.ts'
import { postOf } from './workloads.ts'

export type SocketEncoding = 'json' | 'msgpack'

/** Each socket sends the same request again as soon as it has its answer. */
export interface RequestsTask {
  readonly kind: 'requests'
  readonly target: Target
  readonly sockets: number
  readonly encoding: SocketEncoding
  readonly action: string
  readonly body: object
  /** Of each answer; null: whatever comes is good. */
  readonly status: number | null
  readonly warmUpSeconds: number
  readonly seconds: number
}

/** Each socket is pushed messages that are claimed for it, and deletes all of a claim with one frame. */
export interface ConsumeTask {
  readonly kind: 'consume'
  readonly target: Target
  readonly queue: string
  readonly sockets: number
  readonly encoding: SocketEncoding
  /** The most messages that a socket holds. */
  readonly limit: number
  readonly warmUpSeconds: number
  readonly seconds: number
}

/** One client posts over HTTP, all sockets are pushed each message. */
export interface PushesTask {
  readonly kind: 'pushes'
  readonly target: Target
  readonly queue: string
  readonly sockets: number
  readonly seconds: number
}

/** Sockets are opened, then subscribed, and left alone. */
interface IdleTask {
  readonly kind: 'idle'
  readonly target: Target
  readonly queue: string
  readonly sockets: number
}

/** Sockets subscribe and take nothing while one client posts large messages over HTTP. */
export interface SlowTask {
  readonly kind: 'slow'
  readonly target: Target
  readonly queue: string
  readonly sockets: number
  readonly messages: number
  readonly messageBytes: number
}

export type SocketTask = RequestsTask | ConsumeTask | PushesTask | IdleTask | SlowTask

export interface RateFigures {
  readonly perSecond: number
  /** 1 is one core. */
  readonly serverCpu: number | null
  readonly loadCpu: number
}

/** Memory of the server, each with so many sockets more than before. */
export interface IdleFigures {
  readonly residentBytes: number
  readonly openBytes: number
  readonly subscribedBytes: number
}

export interface SlowFigures {
  /** Memory of the server with all sockets subscribed, and the most while and after messages were posted. */
  readonly residentBytes: number
  readonly mostBytes: number
  /** Sockets that the server has cut off. */
  readonly dropped: number
}

export type SocketResult = RateFigures | IdleFigures | SlowFigures

const SUBSCRIPTION_TTL_SECONDS = 3600
const OPENED_AT_ONCE = 50
/** Pushes that may be under way: as many as a busy poster would cause. */
const MOST_UNDER_WAY = 50_000
/** Until the server has given back what it needs no more, and closed whom it closes. */
const SETTLING_MS = 2_000
const UNTIL_CLOSED_MS = 8_000
const SAMPLING_MS = 50

process.on('message', async (task: SocketTask) => {
  const result = await perform(task).catch((error: Error) => ({ error: error.message }))
  process.send?.(result)
})

function perform(task: SocketTask): Promise<SocketResult> {
  switch (task.kind) {
    case 'requests':
      return requests(task)
    case 'consume':
      return consume(task)
    case 'pushes':
      return pushes(task)
    case 'idle':
      return idle(task)
    case 'slow':
      return slow(task)
  }
}

function requests(task: RequestsTask): Promise<RateFigures> {
  const { target, encoding, action, body, status } = task
  const frame = frameFor(encoding, action, body)
  const wanted = status === null ? null : endOfAnswer(encoding, status)
  let answers = 0
  return withSockets(target, task.sockets, async (sockets, fail) => {
    for (const socket of sockets) {
      socket.onFrame = (payload) => {
        if (wanted !== null && !endsWith(payload, wanted)) fail(new Error(`${action}: ${payload}`))
        answers++
        socket.send(frame)
      }
      socket.send(frame)
    }
    return await rate(task, () => answers)
  })
}

function consume(task: ConsumeTask): Promise<RateFigures> {
  const { target, queue, encoding, limit } = task
  const subscribe = frameFor(encoding, 'subscription_create', {
    queue_name: queue,
    ttl: SUBSCRIPTION_TTL_SECONDS,
    mode: 'claim',
    claim_ttl: SUBSCRIPTION_TTL_SECONDS,
    limit,
  })
  const codec = CODECS[encoding]
  let finished = 0
  return withSockets(target, task.sockets, async (sockets, fail) => {
    for (const socket of sockets) {
      socket.onFrame = (payload) => {
        const { claim_id, messages, headers, body } = codec.read(payload)
        if (headers !== undefined && headers.status >= 300) fail(new Error(JSON.stringify(body)))
        if (claim_id === undefined || messages === undefined) return
        const message_ids = messages.map(({ id }) => id)
        finished += message_ids.length
        socket.send(
          frameFor(encoding, 'message_delete_many', { queue_name: queue, message_ids, claim_ids: [claim_id] }),
        )
      }
      socket.send(subscribe)
    }
    return await rate(task, () => finished)
  })
}

function pushes(task: PushesTask): Promise<RateFigures> {
  const { target, queue, sockets: count } = task
  return withSockets(target, count, async (sockets, fail) => {
    await subscribeAll(sockets, queue)
    let pushed = 0
    for (const socket of sockets) {
      socket.onFrame = () => {
        pushed++
      }
    }
    const poster = await Connection.open(target.host, target.port, fail)
    const post = requestBytes(target, 'POST', `/v2/queues/${queue}/messages`, postOf(10))
    let posted = 0
    let isOver = false
    const postMore = async () => {
      while (!isOver) {
        if (posted * count - pushed >= MOST_UNDER_WAY) await pause(1)
        else if ((await poster.ask(post)).status === 201) posted += 10
        else fail(new Error('a POST has failed'))
      }
    }
    const posting = postMore()
    const figures = await rate({ target, warmUpSeconds: 1, seconds: task.seconds }, () => pushed)
    isOver = true
    await posting
    poster.close()
    return figures
  })
}

function idle({ target, queue, sockets: count }: IdleTask): Promise<IdleFigures> {
  const before = residentBytes(target)
  return withSockets(target, count, async (sockets) => {
    await pause(SETTLING_MS)
    const openBytes = residentBytes(target)
    await subscribeAll(sockets, queue)
    await pause(SETTLING_MS)
    return { residentBytes: before, openBytes, subscribedBytes: residentBytes(target) }
  })
}

async function slow({ target, queue, sockets: count, messages, messageBytes }: SlowTask): Promise<SlowFigures> {
  // Nobody is told when one is closed: it reads nothing.
  const sockets = await openAll(target, count, () => {})
  await subscribeAll(sockets, queue)
  await pause(SETTLING_MS)
  const before = residentBytes(target)
  let most = before
  const sampling = setInterval(() => {
    most = Math.max(most, residentBytes(target))
  }, SAMPLING_MS)
  for (const socket of sockets) socket.pause()
  const failure = Promise.withResolvers<never>()
  const poster = await Connection.open(target.host, target.port, failure.reject)
  const ask = (request: Buffer) => Promise.race([poster.ask(request), failure.promise])
  const document = { messages: [{ ttl: 3600, body: 'x'.repeat(messageBytes) }] }
  const post = requestBytes(target, 'POST', `/v2/queues/${queue}/messages`, document)
  for (let posted = 0; posted < messages; posted++) await ask(post)
  await pause(UNTIL_CLOSED_MS)
  clearInterval(sampling)
  const operator = { ...target, headers: [...target.headers, 'X-Roles: admin'] }
  const health = JSON.parse((await ask(requestBytes(operator, 'GET', '/v2/health'))).body.toString())
  poster.close()
  for (const socket of sockets) socket.close()
  return { residentBytes: before, mostBytes: most, dropped: health.sockets.dropped }
}

/** One after the other, so that the server is not asked for more than it takes. */
async function subscribeAll(sockets: readonly SocketConnection[], queue: string): Promise<void> {
  const frame = frameFor('json', 'subscription_create', { queue_name: queue, ttl: SUBSCRIPTION_TTL_SECONDS })
  const wanted = endOfAnswer('json', 201)
  for (const socket of sockets) {
    const answer = await socket.ask(frame)
    if (!endsWith(answer, wanted)) throw new Error(`subscribing: ${answer}`)
  }
}

/** Counts for some seconds, after a warm-up. */
async function rate(
  { target, warmUpSeconds, seconds }: { target: Target; warmUpSeconds: number; seconds: number },
  count: () => number,
): Promise<RateFigures> {
  const meters = () => ({
    at: performance.now(),
    count: count(),
    server: usageOf(target.pid)?.cpuSeconds ?? null,
    load: loadCpuSeconds(),
  })
  await pause(warmUpSeconds * 1000)
  const begin = meters()
  await pause(seconds * 1000)
  const end = meters()
  const counted = (end.at - begin.at) / 1000
  return {
    perSecond: (end.count - begin.count) / counted,
    serverCpu: end.server === null || begin.server === null ? null : (end.server - begin.server) / counted,
    loadCpu: (end.load - begin.load) / counted,
  }
}

function loadCpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function residentBytes({ pid }: Target): number {
  return usageOf(pid)?.residentBytes ?? Number.NaN
}

/** Opens sockets, hands them to `use` and closes them; the first failure of any ends it all. */
async function withSockets<T>(
  target: Target,
  count: number,
  use: (sockets: readonly SocketConnection[], fail: (error: Error) => void) => Promise<T>,
): Promise<T> {
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {}) // It may fail before anybody waits for it.
  const sockets = await openAll(target, count, failure.reject)
  try {
    return await Promise.race([use(sockets, failure.reject), failure.promise])
  } finally {
    for (const socket of sockets) socket.close()
  }
}

async function openAll(
  { host, port }: Target,
  count: number,
  onFailure: (error: Error) => void,
): Promise<SocketConnection[]> {
  const sockets: SocketConnection[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(OPENED_AT_ONCE, count - sockets.length) }, () =>
      SocketConnection.open(host, port, onFailure),
    )
    sockets.push(...(await Promise.all(some)))
  }
  return sockets
}

/** What the load reads of a frame that is pushed, or of an answer. */
interface Read {
  readonly claim_id?: string
  readonly messages?: readonly { readonly id: string }[]
  readonly headers?: { readonly status: number }
  readonly body?: unknown
}

const CODECS: Record<SocketEncoding, { frame(document: object): Buffer; read(payload: Buffer): Read }> = {
  json: {
    frame: (document) => textFrame(JSON.stringify(document)),
    read: (payload) => JSON.parse(payload.toString()),
  },
  msgpack: { frame: (document) => binaryFrame(pack(document)), read: (payload) => unpack(payload) },
}

function frameFor(encoding: SocketEncoding, action: string, body: object): Buffer {
  return CODECS[encoding].frame({ action, headers: { 'Client-ID': CLIENT_ID, 'X-Project-ID': PROJECT }, body })
}

/** The status is the last thing in an answer. */
function endOfAnswer(encoding: SocketEncoding, status: number): Buffer {
  if (encoding === 'json') return Buffer.from(`"headers": {"status": ${status}}}`)
  return Buffer.concat([pack('status'), pack(status)])
}

function endsWith(payload: Buffer, wanted: Buffer): boolean {
  return payload.compare(wanted, 0, wanted.length, payload.length - wanted.length) === 0
}
