import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

interface FrameParts {
  readonly opcode: number
  readonly payload?: Buffer | string
  /** False: more of the message comes. */
  readonly fin?: boolean
  /** 0 to 7. */
  readonly reserved?: number
  readonly masked?: boolean
  /** What the head says of the length, where that is not so. */
  readonly announced?: bigint
}

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

/** The bytes of a frame, however wrong. */
export function frame({
  opcode,
  payload = '',
  fin = true,
  reserved = 0,
  masked = true,
  announced,
}: FrameParts): Buffer {
  const content = Buffer.from(payload)
  const length = announced ?? BigInt(content.length)
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  const mask = masked ? 0x80 : 0
  const extended = Buffer.alloc(length <= 125n ? 0 : length <= 0xffffn ? 2 : 8)
  if (extended.length === 2) extended.writeUInt16BE(Number(length))
  if (extended.length === 8) extended.writeBigUInt64BE(length)
  const short = extended.length === 0 ? Number(length) : extended.length === 2 ? 126 : 127
  const head = Buffer.concat([Buffer.from([first, mask | short]), extended])
  if (!masked) return Buffer.concat([head, content])
  for (let i = 0; i < content.length; i++) content[i] = (content[i] as number) ^ (KEY[i % 4] as number)
  return Buffer.concat([head, KEY, content])
}

export function closeFrame(code: number, reason: Buffer | string = ''): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(code)
  return frame({ opcode: OPCODE.close, payload: Buffer.concat([bytes, Buffer.from(reason)]) })
}

export interface Received {
  readonly opcode: number
  readonly payload: Buffer
}

/** A WebSocket that sends what no library would. */
export class FrameSocket {
  readonly socket: Socket
  readonly #received: Received[] = []
  #read = 0
  #bytes: Buffer = Buffer.alloc(0)
  #isOver = false
  #changed = Promise.withResolvers<void>()

  private constructor(socket: Socket, rest: Buffer) {
    this.socket = socket
    this.#take(rest)
    socket.on('data', (data: Buffer) => this.#take(data))
    socket.once('close', () => {
      this.#isOver = true
      this.#wake()
    })
  }

  static async open(port: number): Promise<FrameSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    // A reset is an end as well.
    socket.on('error', () => {})
    const request = [
      'GET / HTTP/1.1',
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    socket.write(`${request.join('\r\n')}\r\n\r\n`)
    const [first] = (await once(socket, 'data')) as [Buffer]
    if (!first.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(String(first))
    return new FrameSocket(socket, first.subarray(first.indexOf('\r\n\r\n') + 4))
  }

  /** Resolves when the other side has room for more, or wants no more. */
  async write(...parts: readonly Buffer[]): Promise<void> {
    for (const part of parts) {
      if (this.socket.destroyed) return
      if (this.socket.write(part)) continue
      await new Promise<void>((resolve) => {
        this.socket.once('drain', resolve)
        this.socket.once('close', () => resolve())
      })
    }
  }

  /** The next frame; null when the connection ends before. */
  async next(): Promise<Received | null> {
    for (;;) {
      const next = this.#received[this.#read]
      if (next !== undefined) {
        this.#read += 1
        return next
      }
      if (this.#isOver) return null
      await this.#changed.promise
    }
  }

  /** The code of the frame that closes the connection, whatever comes before; null when there is none. */
  async closeCode(): Promise<number | null> {
    for (let next = await this.next(); next !== null; next = await this.next()) {
      if (next.opcode !== OPCODE.close) continue
      return next.payload.length === 0 ? 1005 : next.payload.readUInt16BE()
    }
    return null
  }

  #take(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data])
    for (;;) {
      const short = (this.#bytes[1] ?? 0) & 0x7f
      const start = short === 126 ? 4 : short === 127 ? 10 : 2
      if (this.#bytes.length < start) break
      const length =
        start === 2 ? short : start === 4 ? this.#bytes.readUInt16BE(2) : Number(this.#bytes.readBigUInt64BE(2))
      if (this.#bytes.length < start + length) break
      const opcode = (this.#bytes[0] as number) & 0x0f
      this.#received.push({ opcode, payload: this.#bytes.subarray(start, start + length) })
      this.#bytes = this.#bytes.subarray(start + length)
    }
    this.#wake()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
