import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { OnTrouble } from '../core/execute.ts'
import type { RequestMeter } from '../core/request-meter.ts'
import type { Clock } from '../platform/clock.ts'
import type { MemoryBudget } from '../platform/memory-budget.ts'
import { WireError } from '../wire/wire-error.ts'
import { AnswerStream, isStreamed, PROBED_AFTER_MS } from './answer-stream.ts'
import { Connection, type Exchange, measure } from './connection.ts'
import { errorResponse } from './error-response.ts'
import type { Handle } from './handler.ts'
import type { HttpResponse, StreamedResponse } from './messages.ts'
import { overloaded } from './overload.ts'
import { IncomingBody } from './request-body.ts'
import { sendAnswer } from './send-answer.ts'
import { readTarget } from './target.ts'
import type { Tls } from './tls.ts'

export interface ListenerOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  /** Longer bodies are not kept, in bytes. Asked for each request. */
  maxBodyBytes(): number
  readonly maxHeaderBytes: number
  /** For a whole request to arrive, and for a TLS handshake, in seconds. */
  readonly requestTimeoutSeconds: number
  /**
   * A connection over which nothing moves for so long, in seconds, is closed: a client that asks and does not read the
   * answer would keep it for ever. A streamed answer or an upgraded connection may be silent, but what it says must be
   * taken in that time.
   */
  readonly silenceSeconds: number
  readonly maxConnections: number
  /** For what is under way when the listener closes, in seconds; 0: as long as it takes. */
  readonly closingSeconds: number
  /** What requests and answers may take in all, beside a small share for each connection. */
  readonly budget: MemoryBudget
  readonly clock: Clock
  /** Null: plain HTTP. */
  readonly tls: Tls | null
  /** Null: every request is answered over HTTP. */
  readonly upgrade: Upgrade | null
  /** Told of each request that is refused unseen. */
  readonly meter: Pick<RequestMeter, 'refused'>
  /** Told of what went wrong with an answer after it had begun. */
  readonly onTrouble: OnTrouble
}

/** Takes over the connections whose clients ask for another protocol. */
export interface Upgrade {
  /** As the header `Upgrade` names it, in lower case. Who asks for another one is answered over HTTP. */
  readonly protocol: string
  /**
   * `head` is what has arrived behind the request. Throws nothing, and hears of no error of the socket, only that it
   * has closed. What it returns is called, once, when the listener closes: the connection should then come to its end.
   */
  take(request: IncomingMessage, socket: Socket, head: Buffer): () => void
}

export interface Listener {
  readonly address: string
  readonly port: number
  /** From now on each connection ends with its next answer; new ones are taken still. May be called twice. */
  drain(): void
  /**
   * Answers what has arrived and takes nothing new, ends streams, tells upgraded connections to end; cuts off what is
   * not over in time. May be called twice.
   */
  close(): Promise<void>
}

/** Idle connections are kept this long: longer than the clients' own pools keep theirs. */
const KEEP_ALIVE_MS = 75_000
/**
 * Connections that wait to be accepted, which Node does one in each turn of its loop; the system has a bound of its
 * own. Beyond these, clients try again only after seconds.
 */
const BACKLOG = 4096
/** For a client to read why it was refused, before its connection is closed whatever it still sends. */
const LINGER_MS = 1_000

export async function listen(handle: Handle, options: ListenerOptions): Promise<Listener> {
  const exchanges = new Exchanges(handle, options)
  const bounds = {
    maxHeaderSize: options.maxHeaderBytes,
    requestTimeout: options.requestTimeoutSeconds * 1000,
    headersTimeout: options.requestTimeoutSeconds * 1000,
    connectionsCheckingInterval: Math.min(5_000, options.requestTimeoutSeconds * 500),
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Health checks of proxies name none, and upstream serves them.
    requireHostHeader: false,
    // A request without a body needs no stream. Thousands of streams would have to be ended when a connection with as
    // many requests ends.
    optimizeEmptyRequests: true,
    noDelay: true,
    shouldUpgradeCallback: (request: IncomingMessage) => exchanges.mayUpgrade(request),
  }
  const server = options.tls === null ? createServer(bounds) : createSecureServer(options.tls, bounds)
  server.maxConnections = options.maxConnections
  server.timeout = options.silenceSeconds * 1000
  // A client that has closed its side still gets its answers. A worker that is full closes further connections: the
  // next worker has as many, so nothing is gained by handing them on.
  Object.assign(server, { httpAllowHalfOpen: true, dropMaxConnection: true })
  server.on('request', (request, response) => void exchanges.serve(request, response, null))
  // 417 would be taken for success; whatever else is expected, the request is served.
  server.on('checkExpectation', (request, response) => void exchanges.serve(request, response, null))
  server.on(
    'checkContinue',
    (request, response) => void exchanges.serve(request, response, () => response.writeContinue()),
  )
  server.on('clientError', (error, socket) => exchanges.refuse(error, socket as Socket))
  server.on('connect', (_request, socket) => exchanges.refuseBehindAnswers(socket as Socket))
  server.on('upgrade', (request, socket, head) => exchanges.upgrade(request, socket as Socket, head))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: options.port, host: options.address, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { address, port } = server.address() as AddressInfo
  return {
    address,
    port,
    drain: () => exchanges.drain(),
    close() {
      exchanges.end()
      return close(server, exchanges, options)
    },
  }
}

/**
 * Over TLS a client that closes its side of the connection has closed all of it. Connections may not be half open here:
 * Node would never notice a client that leaves at the end of the handshake.
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

/** All that is asked and answered over the connections of a listener. */
class Exchanges {
  /** Whether each connection ends with its next answer. */
  #areLast = false
  /** Whether what goes on without answers, streams and upgraded connections, ends as well. */
  #isOver = false
  readonly #handle: Handle
  readonly #options: ListenerOptions
  readonly #connections = new WeakMap<Socket, Connection>()
  readonly #streams = new Set<AnswerStream>()
  /** With what tells each of them to end. */
  readonly #upgraded = new Map<Socket, () => void>()

  constructor(handle: Handle, options: ListenerOptions) {
    this.#handle = handle
    this.#options = options
  }

  /** `invite` tells a client that waits for it that it may send its body; null when it does not wait. */
  async serve(request: IncomingMessage, response: ServerResponse, invite: (() => void) | null): Promise<void> {
    const exchange = this.#connectionOf(request.socket).begin(request, response)
    if (exchange === null) return
    try {
      // On one connection requests are served one after the other, or a reader would overtake what it has posted. What
      // comes behind is not even read before its turn.
      if (response.socket === null) await turnOf(response)
      const id = newRequestId()
      const body = new IncomingBody(exchange, this.#options.maxBodyBytes(), invite)
      const answer = await this.#answer(id, exchange, body)
      const rest = body.discard()
      if (rest !== null) await rest
      if (isStreamed(answer)) this.#stream(exchange, id, answer)
      else sendAnswer(exchange, id, answer, { isLast: this.#areLast || !body.isOver })
    } catch {
      // Whoever asked is gone.
      response.destroy()
    }
  }

  /**
   * Whether a request that asks for another protocol gets it. Behind unanswered requests its turn is not yet, so there
   * it does not.
   */
  mayUpgrade(request: IncomingMessage): boolean {
    const { headers, httpVersion, socket } = request
    const asked = headers.upgrade?.split(',').map((name) => name.trim().toLowerCase()) ?? []
    const isWanted = this.#options.upgrade !== null && asked.includes(this.#options.upgrade.protocol)
    if (!isWanted || httpVersion !== '1.1' || !this.#connectionOf(socket).isIdle) return false
    const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
    return !hasBody && problemOf({ request, arrived: measure(request) }) === null
  }

  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { upgrade, silenceSeconds } = this.#options
    // What is broken closes, and that is all that anybody needs to know of it.
    socket.on('error', () => {})
    socket.setTimeout(silenceSeconds * 1000)
    socket.on('timeout', () => socket.writableLength > 0 && socket.destroy())
    socket.setKeepAlive(true, PROBED_AFTER_MS)
    const end = (upgrade as Upgrade).take(request, socket, head)
    this.#upgraded.set(socket, end)
    socket.once('close', () => this.#upgraded.delete(socket))
    if (this.#isOver) end()
  }

  drain(): void {
    this.#areLast = true
  }

  /** Each connection ends with what is under way on it. */
  end(): void {
    if (this.#isOver) return
    this.#areLast = true
    this.#isOver = true
    for (const stream of this.#streams) stream.end()
    for (const end of this.#upgraded.values()) end()
  }

  cutOffUpgraded(): void {
    for (const socket of this.#upgraded.keys()) socket.destroy()
  }

  /** What is no HTTP, has too large a head, came too slowly or ended too early. */
  refuse({ code }: NodeJS.ErrnoException, socket: Socket): void {
    // A client that has not finished its handshake, or speaks plain HTTP, understands no answer.
    if (code?.startsWith('ERR_TLS_') || code?.startsWith('ERR_SSL_')) return void socket.destroy()
    this.refuseBehindAnswers(socket)
  }

  /** Behind requests whose answers are still to come a refusal would be taken for the answer to one of them. */
  refuseBehindAnswers(socket: Socket): void {
    this.#options.meter.refused('malformed')
    this.#connectionOf(socket).refuseBehindAnswers(() => {
      if (!socket.writable) return void socket.destroy()
      const { clock } = this.#options
      socket.end(badRequest(), () => clock.at(clock.now() + LINGER_MS, () => socket.destroy()))
    })
  }

  #stream(exchange: Exchange, id: string, answer: StreamedResponse): void {
    const stream = new AnswerStream(exchange, answer.body, (error) => this.#options.onTrouble(error, { requestId: id }))
    this.#streams.add(stream)
    exchange.response.once('close', () => this.#streams.delete(stream))
    stream.start(id, answer)
    if (this.#isOver) stream.end()
  }

  #answer(id: string, exchange: Exchange, body: IncomingBody): HttpResponse | Promise<HttpResponse> {
    const { request, response, isAdmitted } = exchange
    const { method = '', url = '', headers, socket } = request
    if (!isAdmitted) {
      this.#options.meter.refused('overload')
      return errorResponse(overloaded(), headers.accept)
    }
    const problem = problemOf(exchange)
    if (problem !== null) {
      this.#options.meter.refused('malformed')
      return errorResponse(new WireError(400, 'Bad request', problem), headers.accept)
    }
    const { target, authority } = readTarget(url)
    return this.#handle({
      id,
      method,
      target,
      headers: authority === null ? headers : { ...headers, host: authority },
      readBody: () => body.read(),
      signal: () => departure(socket, response),
      clientAddress: () => socket.remoteAddress ?? null,
    })
  }

  #connectionOf(socket: Socket): Connection {
    const known = this.#connections.get(socket)
    if (known !== undefined) return known
    const connection = new Connection(socket, this.#options.budget)
    this.#connections.set(socket, connection)
    socket.once('end', () => {
      if (connection.isCutOff) this.refuseBehindAnswers(socket)
    })
    return connection
  }
}

/** Between two requests of a connection all others have their turn, however many have arrived with the first. */
function turnOf(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once('socket', () => setImmediate(resolve)))
}

/** What Node lets pass and no client may send; null when there is nothing. (RFC 9112, 2.3 and 3.2) */
function problemOf({ request, arrived }: Pick<Exchange, 'request' | 'arrived'>): string | null {
  if (request.httpVersionMajor !== 1) return `HTTP/${request.httpVersion} is not spoken here.`
  return arrived.hosts > 1 ? 'The request has more than one Host header.' : null
}

/** Without a reason at hand an abort makes an error and its stack, for every request that has waited. */
const GONE = 'the client is gone'

/**
 * Made only for requests that wait. A client that has closed its side of the connection gets the answer to what it has
 * asked, but nobody waits for something to come on its behalf: most such clients are gone.
 */
function departure(socket: Socket, response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  const leave = () => controller.abort(GONE)
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

/** 400 whatever it was: python-zaqarclient takes 408 and 431 for success. */
function badRequest(): string {
  const body =
    '{"title": "Bad request", "description": "The request is no valid HTTP, too large, incomplete, or came too slowly."}'
  const head = [
    'HTTP/1.1 400 Bad Request',
    `x-openstack-request-id: ${newRequestId()}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

function close(server: Server, exchanges: Exchanges, { clock, closingSeconds }: ListenerOptions): Promise<void> {
  return new Promise((resolve) => {
    const cutOff = () => {
      server.closeAllConnections()
      exchanges.cutOffUpgraded()
    }
    const timer = closingSeconds > 0 ? clock.at(clock.now() + closingSeconds * 1000, cutOff) : null
    server.close(() => {
      timer?.cancel()
      resolve()
    })
    server.closeIdleConnections()
  })
}
