import { connect, type Socket } from 'node:net'

/** `payload` is only valid until the callback returns: its memory is used again for what comes next. */
export type OnFrame = (payload: Buffer) => void

const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10
const FINAL = 0x80
const MASKED = 0x80
/** Those of a browser are random; this one costs the server as much. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
/** All connections read into the same memory, one after the other. */
const READ_BUFFER = Buffer.allocUnsafe(256 * 1024)
const HEAD_END = '\r\n\r\n'

/**
 * One WebSocket of a client, for whole frames only. As connection.ts, it does just what the measured servers ask for,
 * since every cycle that the load generator spends is one that a server on the same machine does not get.
 */
export class SocketConnection {
  readonly #socket: Socket
  readonly #onFailure: (error: Error) => void
  readonly #onOpen: () => void
  #isOpen = false
  #isClosed = false
  #partial: Buffer | null = null
  onFrame: OnFrame = () => {}

  private constructor(host: string, port: number, onFailure: (error: Error) => void, onOpen: () => void) {
    this.#onFailure = onFailure
    this.#onOpen = onOpen
    const onread = {
      buffer: READ_BUFFER,
      callback: (bytes: number, buffer: Uint8Array) => {
        this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, bytes))
        return true
      },
    }
    this.#socket = connect({ host, port, noDelay: true, onread }, () => {
      this.#socket.write(
        `GET / HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==${HEAD_END}`,
      )
    })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed a WebSocket')))
  }

  /** `onFailure` hears of what ends the connection later on. */
  static open(host: string, port: number, onFailure: (error: Error) => void): Promise<SocketConnection> {
    return new Promise((resolve, reject) => {
      const connection: SocketConnection = new SocketConnection(
        host,
        port,
        (error) => (connection.#isOpen ? onFailure(error) : reject(error)),
        () => resolve(connection),
      )
    })
  }

  /** Whole frames, see `textFrame` and `binaryFrame`. */
  send(frame: Buffer): void {
    this.#socket.write(frame)
  }

  /** Sends a frame, and answers the next one that comes. */
  ask(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      this.onFrame = (payload) => resolve(Buffer.from(payload))
      this.send(frame)
    })
  }

  /** Takes nothing more from the server. */
  pause(): void {
    this.#socket.pause()
  }

  close(): void {
    this.#isClosed = true
    this.#socket.destroy()
  }

  #receive(bytes: Buffer): void {
    const data = this.#partial === null ? bytes : Buffer.concat([this.#partial, bytes])
    let at = this.#isOpen ? 0 : this.#openBy(data)
    while (this.#isOpen && !this.#isClosed) {
      const start = payloadStart(data, at)
      const end = start + payloadBytes(data, at)
      if (!(end <= data.length)) break
      this.#take((data[at] ?? 0) & 0x0f, data.subarray(start, end))
      at = end
    }
    this.#partial = at === data.length ? null : Buffer.from(data.subarray(at))
  }

  /** Answers where the first frame begins. */
  #openBy(data: Buffer): number {
    const headEnd = data.indexOf(HEAD_END)
    if (headEnd < 0) return 0
    if (!data.toString('latin1', 0, headEnd).startsWith('HTTP/1.1 101')) {
      this.#fail(new Error(`no WebSocket: ${data.toString('latin1', 0, headEnd)}`))
      return 0
    }
    this.#isOpen = true
    this.#onOpen()
    return headEnd + HEAD_END.length
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === TEXT || opcode === BINARY) this.onFrame(payload)
    else if (opcode === PING) this.send(frameOf(PONG, payload))
    else if (opcode === CLOSE) this.#fail(new Error(`the server closed a WebSocket with ${payload.readUInt16BE(0)}`))
  }

  #fail(error: Error): void {
    if (this.#isClosed) return
    this.close()
    this.#onFailure(error)
  }
}

/** NaN while the head of the frame has not come whole. */
function payloadBytes(data: Buffer, at: number): number {
  if (at + 2 > data.length) return Number.NaN
  const length = (data[at + 1] ?? 0) & 0x7f
  if (length < 126) return length
  if (payloadStart(data, at) > data.length) return Number.NaN
  return length === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2))
}

function payloadStart(data: Buffer, at: number): number {
  const length = (data[at + 1] ?? 0) & 0x7f
  return at + (length < 126 ? 2 : length === 126 ? 4 : 10)
}

export function textFrame(text: string): Buffer {
  return frameOf(TEXT, Buffer.from(text))
}

export function binaryFrame(payload: Uint8Array): Buffer {
  return frameOf(BINARY, payload)
}

function frameOf(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const frame = Buffer.allocUnsafe(2 + lengthBytes + MASK.length + length)
  frame[0] = FINAL | opcode
  frame[1] = MASKED | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) frame.writeUInt16BE(length, 2)
  if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2)
  const start = 2 + lengthBytes + MASK.length
  MASK.copy(frame, 2 + lengthBytes)
  for (let i = 0; i < length; i++) frame[start + i] = (payload[i] ?? 0) ^ (MASK[i & 3] ?? 0)
  return frame
}
