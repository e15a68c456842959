import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { Signal } from './signal.ts'

/** A frame as the client has sent it. */
export interface SentFrame {
  readonly action: string
  readonly headers: Readonly<Record<string, unknown>>
  // biome-ignore lint/suspicious/noExplicitAny: bodies of frames, of which tests know what is in them.
  readonly body: any
  readonly request_id: number
}

/** What becomes of a frame. */
type Act = (frame: SentFrame, peer: Peer) => void

/** The service's end of a connection. */
export class Peer {
  /** In the order in which they came. */
  readonly frames: SentFrame[] = []
  readonly ws: WebSocket
  readonly #tcp: Socket
  readonly #encode: (value: unknown) => string | Uint8Array

  constructor(ws: WebSocket, tcp: Socket, encode: (value: unknown) => string | Uint8Array) {
    this.ws = ws
    this.#tcp = tcp
    this.#encode = encode
  }

  send(...frames: readonly unknown[]): void {
    // In one piece, so that the client reads them in one go.
    this.#tcp.cork()
    for (const frame of frames) this.ws.send(this.#encode(frame))
    this.#tcp.uncork()
  }

  answer(frame: SentFrame, status = 200, body: unknown = {}): void {
    this.send(answerTo(frame, status, body))
  }

  /** Bytes as they stand, then the end. */
  break(bytes: Buffer): void {
    this.#tcp.end(bytes)
  }
}

export function answerTo({ request_id, ...request }: SentFrame, status = 200, body: unknown = {}): object {
  return { request: { ...request, api: 'v2' }, body, headers: { status }, request_id }
}

/** A service over TCP that answers each frame as a test says: as asked, where it says nothing. It ends with the test. */
export class SocketService {
  readonly url: string
  /** Of all connections, the latest last. */
  readonly peers: Peer[] = []
  act: Act = (frame, peer) => peer.answer(frame)
  /** Answers requests over HTTP, and upgrades that are refused. */
  onHttp: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.writeHead(404).end()
  /** The status with which upgrades are refused; null: they are not. */
  refusal: number | null = null
  /** Nothing is said to who connects. */
  isSilent = false
  /** How often somebody wanted a connection. */
  upgrades = 0
  readonly changed = new Signal()

  private constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`
  }

  /** `codec`: of binary frames; they are JSON where it is not given. */
  static async start(
    t: TestContext,
    codec?: { encode(value: unknown): Uint8Array; decode(bytes: Uint8Array): unknown },
  ): Promise<SocketService> {
    const http = createServer((request, response) => service.onHttp(request, response))
    const upgrades = new WebSocketServer({ noServer: true })
    const sockets = new Set<Socket>()
    http.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket)).on('error', () => {})
    })
    http.on('upgrade', (request, tcp: Socket, head) => {
      service.upgrades += 1
      service.changed.tell()
      if (service.isSilent) return
      if (service.refusal !== null) {
        tcp.end(`HTTP/1.1 ${service.refusal} No\r\nContent-Length: 0\r\n\r\n`)
        return
      }
      upgrades.handleUpgrade(request, tcp, head, (ws) => {
        const peer = new Peer(ws, tcp, codec?.encode ?? JSON.stringify)
        service.peers.push(peer)
        ws.on('error', () => {})
        ws.on('message', (data: Buffer, isBinary) => {
          const frame = (isBinary ? codec?.decode(data) : JSON.parse(data.toString())) as SentFrame
          peer.frames.push(frame)
          service.act(frame, peer)
          service.changed.tell()
        })
        ws.on('close', () => service.changed.tell())
        service.changed.tell()
      })
    })
    await once(http.listen(0, '127.0.0.1'), 'listening')
    const service = new SocketService((http.address() as AddressInfo).port)
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      http.close()
    })
    return service
  }

  /** The latest one. */
  get peer(): Peer {
    const peer = this.peers.at(-1)
    if (peer === undefined) throw new Error('nobody has connected')
    return peer
  }

  /** Actions of all that came, over all connections. */
  get actions(): string[] {
    return this.peers.flatMap(({ frames }) => frames.map(({ action }) => action))
  }

  /** Waits for so many frames of an action, on all connections; answers the latest. */
  async asked(action: string, count = 1): Promise<SentFrame> {
    const all = () => this.peers.flatMap(({ frames }) => frames.filter((frame) => frame.action === action))
    await this.changed.until(() => all().length >= count)
    return all()[count - 1] as SentFrame
  }
}
