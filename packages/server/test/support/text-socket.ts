import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection whose text is looked at while it comes. */
export class TextSocket {
  readonly socket: Socket
  /** What has come so far. */
  text = ''
  /** Resolves when the connection has ended, with all that has come. */
  readonly ended: Promise<string>
  #changed = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text
      this.#wake()
    })
    // A reset is an end as well.
    socket.on('error', () => {})
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#wake()
        resolve(this.text)
      })
    })
  }

  static async open(port: number, request = ''): Promise<TextSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const opened = new TextSocket(socket)
    opened.write(request)
    return opened
  }

  write(text: string): void {
    this.socket.write(text)
  }

  /** Resolves when that has come; fails when the connection ends before. */
  async reads(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      if (this.socket.destroyed) throw new Error(`the connection has ended behind: ${this.text.slice(-200)}`)
      await this.#changed.promise
    }
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
