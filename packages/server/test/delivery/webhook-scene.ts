import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { Answer, WebhookRequest } from '../../src/delivery/channel.ts'
import { createWebhookChannel, type WebhookOptions, type WebhookParts } from '../../src/delivery/channels/webhook.ts'
import { systemResolve } from '../../src/delivery/guard/system-resolve.ts'
import { startTimeLimit } from '../../src/platform/time-limit.ts'

export const NOW = Date.UTC(2026, 2, 1, 10)

/** A try that failed without an answer. */
export function failure(reason: string): Answer {
  return { result: 'failed', status: null, reason, answer: null, retryAfterSeconds: null }
}

/** Longer than anything takes that is expected to come about. */
export const PATIENCE_SECONDS = 20

export interface TestedChannel {
  send(url: string, request?: Partial<WebhookRequest>, signal?: AbortSignal): Promise<Answer>
  close(): Promise<void>
}

/** A channel that may send to this machine and is closed when the test ends. `send` fills in what a request leaves out. */
export function openChannel(
  t: TestContext,
  others: Partial<WebhookOptions & Pick<WebhookParts, 'resolve'>> = {},
): TestedChannel {
  const { resolve = systemResolve, ...options } = others
  const channel = createWebhookChannel({
    version: '1.2.3',
    clock: { now: () => NOW },
    startTimeLimit,
    resolve,
    options: {
      connectSeconds: PATIENCE_SECONDS,
      headersSeconds: PATIENCE_SECONDS,
      requestSeconds: PATIENCE_SECONDS,
      connectionsPerHost: 2,
      allowLoopback: true,
      allow: [],
      deny: [],
      ca: null,
      cert: null,
      key: null,
      proxyUrl: null,
      ...options,
    },
  })
  t.after(() => channel.close())
  return {
    send: (
      url: string,
      request: Partial<WebhookRequest> = {},
      signal = new AbortController().signal,
    ): Promise<Answer> => channel.send({ url, headers: {}, body: '', ...request }, signal),
    close: () => channel.close(),
  }
}

/** A request as a receiver got it. */
interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
  /** The port of the sender: the same for requests on one connection. */
  readonly from: number
}

export interface Receiver {
  readonly url: string
  readonly port: number
  readonly received: readonly Received[]
}

type Answering = (response: ServerResponse, request: Received) => void

export async function startReceiver(
  t: TestContext,
  answer: Answering = (response) => response.end(),
  { host = '127.0.0.1', tls = null }: { host?: string; tls?: ServerOptions | null } = {},
): Promise<Receiver> {
  const received: Received[] = []
  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '', headers, rawHeaders, socket } = request
    const from = socket.remotePort ?? 0
    const one = { method, path, headers, rawHeaders, from, body: await text(request).catch(() => '') }
    received.push(one)
    answer(response, one)
  }
  const listener: RequestListener = (request, response) => void onRequest(request, response)
  const server: Server = tls === null ? createServer(listener) : createTlsServer(tls, listener)
  // Whoever refuses a certificate breaks off.
  server.on('tlsClientError', () => undefined)
  await once(server.listen(0, host), 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `${tls === null ? 'http' : 'https'}://${host}:${port}`, port, received }
}

/** What speaks TCP, and HTTP as far as it likes. */
export async function startTcpReceiver(t: TestContext, onConnection: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = []
  const server = createTcpServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Listens and never accepts; what the system accepts in its place is used up. */
export async function startFullReceiver(t: TestContext): Promise<string> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`,
    { eval: true },
  )
  const [port] = await once(worker, 'message')
  // Linux takes one more than it was told.
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')))
  t.after(async () => {
    for (const filler of fillers) filler.destroy()
    await worker.terminate()
  })
  return `http://127.0.0.1:${port}`
}
