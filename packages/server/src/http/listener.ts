import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Handle } from './handler.ts'
import type { HttpResponse } from './messages.ts'
import { readBody } from './request-body.ts'

export interface ListenerOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  /** Longer bodies are not read to their end. */
  readonly maxBodyBytes: number
  readonly maxHeaderBytes: number
  /** For a whole request to arrive, in seconds. */
  readonly requestTimeoutSeconds: number
  readonly maxConnections: number
}

export interface Listener {
  readonly address: string
  readonly port: number
  /** Answers what has arrived, takes nothing new. May be called twice. */
  close(): Promise<void>
}

/** Idle connections are kept this long: longer than the clients' own pools keep theirs. */
const KEEP_ALIVE_MS = 75_000

export async function listen(handle: Handle, options: ListenerOptions): Promise<Listener> {
  const server = createServer({
    maxHeaderSize: options.maxHeaderBytes,
    requestTimeout: options.requestTimeoutSeconds * 1000,
    headersTimeout: options.requestTimeoutSeconds * 1000,
    connectionsCheckingInterval: Math.min(5_000, options.requestTimeoutSeconds * 500),
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  })
  server.maxConnections = options.maxConnections
  server.on('request', (request, response) => void serve(request, response, handle, options.maxBodyBytes))
  server.on(
    'checkContinue',
    (request, response) => void serveExpectant(request, response, handle, options.maxBodyBytes),
  )
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

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handle,
  maxBodyBytes: number,
): Promise<void> {
  let body: Awaited<ReturnType<typeof readBody>>
  try {
    body = await readBody(request, maxBodyBytes)
  } catch {
    // Whoever asked is gone.
    response.destroy()
    return
  }
  const { method = '', url: target = '', headers } = request
  const answer = await handle({ method, target, headers, body, signal: () => departure(response) })
  send(response, answer, { omitBody: method === 'HEAD', close: !request.complete && body.bytes !== null })
}

/** Made only for requests that wait. */
function departure(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  if (response.destroyed) controller.abort()
  else response.once('close', () => controller.abort())
  return controller.signal
}

/** A client that asks before it sends a body is told to go on only when the body will be read. */
async function serveExpectant(
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handle,
  maxBodyBytes: number,
): Promise<void> {
  if (!(Number(request.headers['content-length']) > maxBodyBytes)) response.writeContinue()
  await serve(request, response, handle, maxBodyBytes)
}

function send(response: ServerResponse, answer: HttpResponse, how: { omitBody: boolean; close: boolean }): void {
  const { status, headers, body } = answer
  const fields: string[] = ['x-openstack-request-id', `req-${randomUUID()}`]
  // In lower case, as upstream sends them: openstacksdk looks for `location` letter by letter.
  for (const name in headers) fields.push(name.toLowerCase(), headers[name] as string)
  if (body !== undefined) fields.push('content-length', String(Buffer.byteLength(body)))
  // The rest of a body that was too long would be taken for the next request.
  if (how.close) fields.push('connection', 'close')
  response.writeHead(status, fields)
  response.end(how.omitBody ? undefined : body)
}

/** What is no HTTP, has too large a header or came too slowly. 400 for all: python-zaqarclient takes 408 and 431 for success. */
function refuse(_error: Error, socket: Socket): void {
  if (!socket.writable) return void socket.destroy()
  const body = '{"title": "Bad request", "description": "The request is no valid HTTP, too large, or came too slowly."}'
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  )
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}
