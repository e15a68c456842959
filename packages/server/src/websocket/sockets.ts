import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type Server, type ServerOptions, WebSocketServer } from 'ws'
import { errorTable } from '../core/errors.ts'
import { type Identity, judgedToken, type Shown, type Unauthenticated } from '../core/identity.ts'
import type { Upgrade } from '../http/listener.ts'
import type { Origins } from '../http/origins.ts'
import type { Timer } from '../platform/clock.ts'
import { WireError } from '../wire/wire-error.ts'
import { refuseUpgrade } from './refusal.ts'
import type { SessionHouse } from './session.ts'
import { type ConnectionHouse, ServerSocket, SocketConnection } from './socket-connection.ts'

export interface SocketsOptions extends ConnectionHouse, SocketSettings {}

/** What can change while connections are open. */
export interface SocketSettings extends Pick<ConnectionHouse, 'pingIntervalSeconds' | 'idleTimeoutSeconds'> {
  /** Longer messages are not taken. */
  readonly maxMessageBytes: number
  readonly origins: Origins
  /** What the target of a request for an upgrade shows of who asks; null: nothing. */
  shownAtUpgrade(target: string): Shown | null
}

/** For the closing handshake, before a connection is cut off. */
const CLOSING_MS = 3_000
/** In how many pieces a message may come: enough for pieces of 256 bytes, and so for every honest client. */
const MOST_PIECES = 1024
const TICK_MS = 1_000

/** All WebSockets of a process. */
export class Sockets {
  readonly #options: SocketsOptions
  readonly #house: ConnectionHouse
  readonly #server: Server<typeof ServerSocket>
  readonly #connections = new Set<SocketConnection>()
  #timer: Timer | null = null
  #none: PromiseWithResolvers<void> | null = null

  constructor(given: SocketsOptions) {
    const options = { ...given }
    this.#options = options
    this.#house = options
    this.#server = new WebSocketServer(rulesOf(options))
    this.#server.on('wsClientError', (error, socket) =>
      refuseUpgrade(socket as Socket, badHandshake(error.message), options.clock),
    )
  }

  /** `externalPort`: the only one that the host of a request may name; null: any. (contract websocket.md 1) */
  upgrade(externalPort: number | null): Upgrade {
    return {
      protocol: 'websocket',
      take: (request, socket, head) => {
        const objection = this.#objectionTo(request, externalPort)
        if (objection !== null) {
          refuseUpgrade(socket, objection, this.#house.clock)
          return () => {}
        }
        return this.#open(request, socket, head)
      },
    }
  }

  /** From their next request on, for connections that are open as well; how long a message may be, for new ones. */
  reconfigure(settings: SocketSettings & SessionHouse): void {
    Object.assign(this.#options, settings)
    Object.assign(this.#server.options, rulesOf(this.#options))
  }

  /** When the listeners are closed: resolves when all has been said of connections that have ended with them. */
  over(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve()
    this.#none ??= Promise.withResolvers()
    return this.#none.promise
  }

  #objectionTo({ headers }: IncomingMessage, externalPort: number | null): WireError | null {
    const { origin = headers['sec-websocket-origin'] as string | undefined, host = '' } = headers
    const [, named] = /:(\d+)$/.exec(host) ?? []
    if (externalPort !== null && named !== undefined && Number(named) !== externalPort) {
      return badHandshake(`The request is for port ${named}; this is port ${externalPort}.`)
    }
    if (!VERSIONS.includes(headers['sec-websocket-version'] ?? '')) {
      return badHandshake('This version of the protocol is not spoken.', {
        'Sec-WebSocket-Version': VERSIONS.join(', '),
      })
    }
    return this.#options.origins.objectionTo(origin === undefined ? headers : { ...headers, origin })
  }

  /** With credentials in its query a request is granted only where they are good. */
  #open(request: IncomingMessage, socket: Socket, head: Buffer): () => void {
    let connection: SocketConnection | null = null
    let isEnding = false
    const open = (identity: Identity | null, token: string | null) => {
      this.#server.handleUpgrade(request, socket, head, (ws) => {
        connection = this.#add(ws, socket)
        if (identity !== null) connection.session.admit(identity, token)
        if (isEnding) connection.end()
      })
    }
    const shown = this.#options.shownAtUpgrade(request.url ?? '')
    const needsToken = this.#house.needsAuthentication && shown?.token !== undefined
    if (shown === null || (shown.signed === undefined && !needsToken)) open(null, null)
    else void this.#judge(shown, socket, open)
    return () => {
      isEnding = true
      connection?.end()
    }
  }

  async #judge(
    { signed, token }: Shown,
    socket: Socket,
    admit: (identity: Identity, token: string | null) => void,
  ): Promise<void> {
    const { authenticate, onTrouble, clock } = this.#house
    const gone = new AbortController()
    const asker = { signal: () => gone.signal, clientAddress: () => socket.remoteAddress ?? null }
    socket.once('close', () => gone.abort())
    try {
      const judged = await authenticate({ signed, token }, asker)
      if (!('unauthenticated' in judged)) return admit(judged, judgedToken({ signed, token }))
      if ('cause' in judged && judged.cause !== null) onTrouble(judged.cause, {})
      refuseUpgrade(socket, notAccepted(judged), clock)
    } catch (error) {
      onTrouble(error, {})
      refuseUpgrade(socket, new WireError(500, 'Internal server error'), clock)
    }
  }

  #add(ws: ServerSocket, socket: Socket): SocketConnection {
    const connection = new SocketConnection(ws, socket, randomUUID(), this.#house)
    const { tally } = this.#house
    tally.connections += 1
    this.#connections.add(connection)
    ws.once('close', () => {
      tally.connections -= 1
      this.#connections.delete(connection)
      if (this.#connections.size === 0) this.#none?.resolve()
    })
    this.#lookAgain()
    return connection
  }

  /** One timer for all of them. */
  #lookAgain(): void {
    const { clock } = this.#house
    this.#timer ??= clock.at(clock.now() + TICK_MS, () => {
      this.#timer = null
      const now = clock.now()
      for (const connection of this.#connections) connection.tick(now)
      if (this.#connections.size > 0) this.#lookAgain()
    })
  }
}

function rulesOf({ maxMessageBytes }: SocketsOptions): ServerOptions<typeof ServerSocket> {
  const rules = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // Answered here, in their place among all that goes out.
    autoPong: false,
    maxPayload: maxMessageBytes,
    maxFragments: MOST_PIECES,
    maxBufferedChunks: MOST_PIECES,
    closeTimeout: CLOSING_MS,
    // Clients may offer subprotocols, and none is spoken. (contract websocket.md 1)
    handleProtocols: () => false as const,
    WebSocket: ServerSocket,
  }
  return rules
}

/** RFC 6455, and the last draft before it, which does not differ. */
const VERSIONS = ['13', '8']

function notAccepted({ unauthenticated: code }: Unauthenticated): WireError {
  const { message } = errorTable[code]
  return code === 'token.unverified'
    ? new WireError(503, 'Service Unavailable', message, { 'Retry-After': '5' })
    : new WireError(401, 'Unauthorized', message)
}

function badHandshake(description: string, headers: Readonly<Record<string, string>> = {}): WireError {
  return new WireError(400, 'Bad request', description, headers)
}
