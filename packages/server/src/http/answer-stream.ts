import type { TextStream } from '../wire/door.ts'
import type { Exchange } from './connection.ts'
import type { HttpResponse, StreamedResponse } from './messages.ts'
import { headOf } from './send-answer.ts'

/**
 * The system asks for a sign of life after so long without any traffic: nothing else would notice that a silent client
 * has vanished.
 */
export const PROBED_AFTER_MS = 60_000

export function isStreamed(answer: HttpResponse): answer is StreamedResponse {
  return typeof answer.body === 'object' && Symbol.asyncIterator in answer.body
}

/** An answer whose chunks are sent as they come. The connection ends behind it. */
export class AnswerStream {
  readonly #exchange: Exchange
  readonly #chunks: AsyncIterator<string>
  readonly #report: (error: unknown) => void
  #isOver = false
  #isWriting = false

  /** `report` is told of what the chunks throw, once. */
  constructor(exchange: Exchange, chunks: TextStream, report: (error: unknown) => void) {
    this.#exchange = exchange
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#report = report
  }

  /** Sends the head, which may be all for a long time, and then what comes. */
  start(id: string, answer: StreamedResponse): void {
    const { request, response } = this.#exchange
    const { socket } = request
    response.writeHead(answer.status, [...headOf(id, answer), 'connection', 'close'])
    response.flushHeaders()
    if (request.method === 'HEAD' || response.destroyed) return void this.end()
    // Most clients that have closed their side are gone. The last chunk is missing then, so nobody takes a part for the
    // whole.
    const leave = () => response.destroy()
    if (socket.readableEnded) leave()
    socket.once('end', leave)
    response.once('close', () => {
      socket.off('end', leave)
      this.end()
    })
    // Silence is no fault of the client, as long as it takes what there is.
    response.on('timeout', () => socket.writableLength > 0 && socket.destroy())
    socket.setKeepAlive(true, PROBED_AFTER_MS)
    void this.#send()
  }

  /** Asks for nothing more. What has been asked for is sent to the end. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#chunks.return?.().catch(this.#report)
    if (!this.#isWriting) this.#exchange.response.end()
  }

  async #send(): Promise<void> {
    const { response } = this.#exchange
    try {
      while (!this.#isOver) {
        const { done, value } = await this.#chunks.next()
        if (this.#isOver) return
        if (done) break
        this.#isWriting = true
        const isTaken = await this.#exchange.write(value)
        this.#isWriting = false
        if (!isTaken) return
      }
      this.#isOver = true
      response.end()
    } catch (error) {
      // What waits for the next chunk may well fail when it is told to end.
      if (this.#isOver) return
      this.#isOver = true
      response.destroy()
      this.#report(error)
    }
  }
}
