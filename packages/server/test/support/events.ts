import type { Handle } from '../../src/http/handler.ts'
import { CLIENT_ID, type Extra, PROJECT } from './test-client.ts'

export interface TestEvent {
  readonly id: string
  readonly data: string
}

/** Reads events as the HTML standard says. */
export class EventReader {
  readonly events: TestEvent[] = []
  /** What to go on behind. */
  lastId = ''
  retry: number | null = null
  comments = 0
  #rest: string[] = []

  read(text: string): void {
    this.#rest.push(text)
    if (!text.endsWith('\n')) return
    const blocks = this.#rest.join('').split('\n\n')
    this.#rest = [blocks.pop() as string]
    for (const block of blocks) this.#readBlock(block.split('\n'))
  }

  #readBlock(lines: readonly string[]): void {
    const data: string[] = []
    for (const line of lines) {
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) as RegExpExecArray
      if (field === '') this.comments += 1
      else if (field === 'id') this.lastId = value
      else if (field === 'retry') this.retry = Number(value)
      else if (field === 'data') data.push(value)
    }
    if (data.length > 0) this.events.push({ id: this.lastId, data: data.join('\n') })
  }

  /** Bodies of the messages so far. */
  get bodies(): unknown[] {
    return this.events.map(({ data }) => (JSON.parse(data) as { body: unknown }).body)
  }
}

/** An event stream of a service without sockets, read as it comes. */
export class EventStream extends EventReader {
  readonly status: number
  /** As the handler has them. */
  readonly headers: Readonly<Record<string, string>>
  /** The whole text so far. */
  text = ''
  /** Resolves when the service has ended it. */
  readonly ended: Promise<void>
  readonly #chunks: AsyncIterator<string> | null

  private constructor({ status, headers, body }: Awaited<ReturnType<Handle>>) {
    super()
    this.status = status
    this.headers = headers
    if (typeof body === 'object' && Symbol.asyncIterator in body) {
      this.#chunks = body[Symbol.asyncIterator]()
      this.ended = this.#readAll(this.#chunks)
    } else {
      this.#chunks = null
      this.text = body?.toString() ?? ''
      this.ended = Promise.resolve()
    }
  }

  static async open(handle: Handle, target: string, headers: Extra['headers'] = {}): Promise<EventStream> {
    const sent = { accept: 'text/event-stream', 'client-id': CLIENT_ID, 'x-project-id': PROJECT, ...headers }
    const request = {
      id: 'req-test',
      method: 'GET',
      target,
      headers: Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined)),
      readBody: () => ({ bytes: null, text: '' }),
    }
    return new EventStream(await handle(request))
  }

  /** As when the client goes. */
  async close(): Promise<void> {
    await this.#chunks?.return?.()
    await this.ended
  }

  async #readAll(chunks: AsyncIterator<string>): Promise<void> {
    for (;;) {
      const { done, value } = await chunks.next()
      if (done) return
      this.text += value
      this.read(value)
    }
  }
}
