import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** A connection that sends what no HTTP library would. */
export class RawSocket {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #ended = false
  #changed = Promise.withResolvers<void>()

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    // A reset is an end as well: what was received before it counts.
    socket.on('error', () => this.#wake())
    socket.on('close', () => this.#end())
    socket.on('end', () => this.#end())
  }

  static async connect(port: number): Promise<RawSocket> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    return new RawSocket(socket)
  }

  /** Resolves when the other side has room for more, or wants no more. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.#socket.write(data)) return
    await new Promise<void>((resolve) => {
      this.#socket.once('drain', resolve)
      this.#socket.once('close', resolve)
    })
  }

  /** Sends the last that there is, says so in the same packet, and goes on listening. */
  halfClose(data: string): void {
    this.#socket.end(data)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  /** The next answer, or null when the connection ends before there is one. */
  async answer(): Promise<RawAnswer | null> {
    for (;;) {
      const found = takeAnswer(this.#received)
      if (found !== null) {
        this.#received = found.rest
        return found.answer
      }
      if (this.#ended) return null
      await this.#changed.promise
    }
  }

  /** All answers until the connection ends. */
  async answers(): Promise<RawAnswer[]> {
    const all: RawAnswer[] = []
    for (let next = await this.answer(); next !== null; next = await this.answer()) all.push(next)
    return all
  }

  #end(): void {
    this.#ended = true
    this.#wake()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** Reads the first answer of what was received; null when it is not whole yet. */
function takeAnswer(received: Buffer<ArrayBuffer>): { answer: RawAnswer; rest: Buffer<ArrayBuffer> } | null {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const [statusLine = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n')
  const headers = new Map(lines.map(splitHeader))
  const bodyStart = headEnd + '\r\n\r\n'.length
  const bodyEnd = headers.has('transfer-encoding')
    ? received.indexOf(LAST_CHUNK, bodyStart) + LAST_CHUNK.length
    : bodyStart + Number(headers.get('content-length') ?? 0)
  if (received.length < bodyEnd) return null
  const answer = {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: received.toString('utf8', bodyStart, bodyEnd),
  }
  return { answer, rest: received.subarray(bodyEnd) }
}

/** The service sends none; what Node answers by itself is empty. */
const LAST_CHUNK = '0\r\n\r\n'

function splitHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}
