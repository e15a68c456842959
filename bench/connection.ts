import { connect, type Socket } from 'node:net'

/** `body` is only valid until the callback returns: its memory is used again for the next answer. */
export type OnAnswer = (status: number, body: Buffer) => void

const READ_BUFFER_BYTES = 64 * 1024

/**
 * One kept-alive HTTP/1.1 connection with at most one request under way. It understands just what the measured servers
 * send, an answer with `Content-Length` or a 204, since every cycle that the load generator spends is one that a
 * server on the same machine does not get: a general client costs several times as much as this.
 */
export class Connection {
  readonly #socket: Socket
  readonly #onFailure: (error: Error) => void
  #partial: Buffer | null = null
  #onAnswer: OnAnswer | null = null
  #closed = false

  private constructor(host: string, port: number, onFailure: (error: Error) => void, onConnect: () => void) {
    this.#onFailure = onFailure
    const onread = {
      buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
      callback: (bytes: number, buffer: Uint8Array) => {
        this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, bytes))
        return true
      },
    }
    this.#socket = connect({ host, port, noDelay: true, onread }, onConnect)
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed a kept-alive connection')))
  }

  /** `onFailure` hears of what breaks the connection later on. */
  static open(host: string, port: number, onFailure: (error: Error) => void): Promise<Connection> {
    return new Promise((resolve, reject) => {
      let opened = false
      const connection = new Connection(
        host,
        port,
        (error) => (opened ? onFailure(error) : reject(error)),
        () => {
          opened = true
          resolve(connection)
        },
      )
    })
  }

  send(request: Buffer, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer
    this.#socket.write(request)
  }

  /** As `send`, for where a promise more does not matter; the body may be kept. */
  ask(request: Buffer): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve) => {
      this.send(request, (status, body) => resolve({ status, body: Buffer.from(body) }))
    })
  }

  close(): void {
    this.#closed = true
    this.#socket.destroy()
  }

  #receive(bytes: Buffer): void {
    const data = this.#partial === null ? bytes : Buffer.concat([this.#partial, bytes])
    const answer = parseAnswer(data)
    if (answer === null) {
      this.#partial = data === bytes ? Buffer.from(bytes) : data
      return
    }
    const onAnswer = this.#onAnswer
    if (answer instanceof Error || onAnswer === null) {
      this.#fail(answer instanceof Error ? answer : new Error('the server sent more than it was asked for'))
      return
    }
    this.#partial = null
    this.#onAnswer = null
    onAnswer(answer.status, answer.body)
  }

  #fail(error: Error): void {
    if (this.#closed) return
    this.close()
    this.#onFailure(error)
  }
}

/** Null while the answer is incomplete. */
function parseAnswer(data: Buffer): { status: number; body: Buffer } | Error | null {
  const headEnd = data.indexOf('\r\n\r\n')
  if (headEnd === -1) return null
  const head = data.toString('latin1', 0, headEnd)
  const status = Number(head.slice(9, 12))
  const bodyBytes = status === 204 ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
  if (Number.isNaN(bodyBytes)) return new Error(`an answer without Content-Length:\n${head}`)
  const bodyStart = headEnd + 4
  if (data.length < bodyStart + bodyBytes) return null
  if (data.length > bodyStart + bodyBytes) return new Error('the server sent more than one answer')
  return { status, body: data.subarray(bodyStart) }
}
