import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { RequestBody } from '../wire/door.ts'
import type { Handle } from './handler.ts'
import type { HttpResponse } from './messages.ts'
import { readBody, unreadBody } from './request-body.ts'
import type { Tls } from './tls.ts'

export interface ListenerOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  /** Longer bodies are not kept. */
  readonly maxBodyBytes: number
  readonly maxHeaderBytes: number
  /** For a whole request to arrive, and for a TLS handshake, in seconds. */
  readonly requestTimeoutSeconds: number
  /** A connection over which nothing moves for so long, in seconds, is closed: who asks and does not read the answer would keep it for ever. */
  readonly silenceSeconds: number
  readonly maxConnections: number
  /** Null: plain HTTP. */
  readonly tls: Tls | null
}

export interface Listener {
  readonly address: string
  readonly port: number
  /** Answers what has arrived, takes nothing new. May be called twice. */
  close(): Promise<void>
}

/** The requests of a connection that have no whole answer yet. */
const unanswered = new WeakMap<Socket, Set<IncomingMessage>>()

/** Idle connections are kept this long: longer than the clients' own pools keep theirs. */
const KEEP_ALIVE_MS = 75_000

export async function listen(handle: Handle, options: ListenerOptions): Promise<Listener> {
  const bounds = {
    maxHeaderSize: options.maxHeaderBytes,
    requestTimeout: options.requestTimeoutSeconds * 1000,
    headersTimeout: options.requestTimeoutSeconds * 1000,
    connectionsCheckingInterval: Math.min(5_000, options.requestTimeoutSeconds * 500),
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  }
  const server = options.tls === null ? createServer(bounds) : createSecureServer(options.tls, bounds)
  server.maxConnections = options.maxConnections
  server.timeout = options.silenceSeconds * 1000
  // A client may say that it has said all: its requests are answered all the same. And a worker that has all the connections
  // it may have closes further ones, rather than hand them on to the next, which has as many.
  Object.assign(server, { httpAllowHalfOpen: true, dropMaxConnection: true })
  const { maxBodyBytes } = options
  const answer = (request: IncomingMessage, response: ServerResponse) =>
    void serve(request, response, handle, () => readBody(request, maxBodyBytes))
  server.on('request', answer)
  // 417 would be taken for success; whatever else is expected, the request is served.
  server.on('checkExpectation', answer)
  // A client that asks before it sends a body is told to go on only when the body will be read.
  server.on('checkContinue', (request, response) => {
    const announced = Number(request.headers['content-length'])
    if (announced > maxBodyBytes) return void serve(request, response, handle, () => unreadBody(announced))
    response.writeContinue()
    answer(request, response)
  })
  server.on('clientError', refuse)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.address, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { address, port } = server.address() as AddressInfo
  return { address, port, close: () => close(server) }
}

/**
 * Over TLS a client that closes its side of the connection has closed all of it: Node never notices that one has gone which
 * does so at the end of the handshake, if its connections may be half open.
 */
function createSecureServer(tls: Tls, bounds: ServerOptions & { requestTimeout: number }): Server {
  const server = createTlsServer({
    ...bounds,
    ...tls.context,
    handshakeTimeout: bounds.requestTimeout,
    requestCert: tls.asksClients,
  })
  tls.onRenewed((context) => server.setSecureContext(context))
  return server
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handle,
  read: () => RequestBody | Promise<RequestBody>,
): Promise<void> {
  const { socket } = request
  const served = unanswered.get(socket) ?? new Set()
  unanswered.set(socket, served.add(request))
  response.once('close', () => served.delete(request))
  try {
    const body = await read()
    // On one connection requests are served one after the other, or a reader would overtake what it has posted.
    if (response.socket === null) await once(response, 'socket')
    const { method = '', url: target = '', headers } = request
    const id = newRequestId()
    const signal = () => departure(request, response)
    const clientAddress = () => socket.remoteAddress ?? null
    const answer = await handle({ id, method, target, headers, body, signal, clientAddress })
    send(response, id, answer, { omitBody: method === 'HEAD', close: !request.complete && body.bytes !== null })
  } catch {
    // Whoever asked is gone.
    response.destroy()
  }
}

/**
 * Made only for requests that wait. A client that has closed its side of the connection gets the answer to what it has
 * asked, but nobody waits for something to come on its behalf: most such clients are gone.
 */
function departure({ socket }: IncomingMessage, response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  const leave = () => controller.abort()
  if (response.destroyed || socket.readableEnded) leave()
  response.once('close', () => {
    socket.off('end', leave)
    leave()
  })
  socket.once('end', leave)
  return controller.signal
}

/** The client's own value is not taken over: it could be anybody's. */
function newRequestId(): string {
  return `req-${randomUUID()}`
}

function send(
  response: ServerResponse,
  id: string,
  answer: HttpResponse,
  how: { omitBody: boolean; close: boolean },
): void {
  const { status, headers, body } = answer
  const fields: string[] = ['x-openstack-request-id', id]
  // In lower case, as upstream sends them.
  for (const name in headers) fields.push(name.toLowerCase(), headers[name] as string)
  if (body !== undefined) fields.push('content-length', String(Buffer.byteLength(body)))
  // The rest of a body that was too long would be taken for the next request.
  if (how.close) fields.push('connection', 'close')
  response.writeHead(status, fields)
  response.end(how.omitBody ? undefined : body)
}

/** What is no HTTP, has too large a header or came too slowly. 400 for all: python-zaqarclient takes 408 and 431 for success. */
function refuse({ code }: NodeJS.ErrnoException, socket: Socket): void {
  // There is no way yet to say it, to whom has never finished a handshake or speaks plain HTTP.
  if (code?.startsWith('ERR_TLS_') || code?.startsWith('ERR_SSL_')) return void socket.destroy()
  // Behind requests whose answers are still to come a refusal would be taken for the answer to one of them.
  const isBehindOthers = [...(unanswered.get(socket) ?? [])].some((request) => request.complete)
  if (!socket.writable || isBehindOthers) return void socket.destroySoon()
  const body = '{"title": "Bad request", "description": "The request is no valid HTTP, too large, or came too slowly."}'
  const head = [
    'HTTP/1.1 400 Bad Request',
    `x-openstack-request-id: ${newRequestId()}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}
