/** An event, or what stood between two blank lines without being one: then it has no data. */
export interface StreamEvent {
  /** The latest that was named; empty before there was one. */
  readonly id: string
  readonly data: string | null
}

/** Longer events are not read, in characters: a message is no longer than a request. */
const LONGEST = 2 ** 26

/**
 * Takes an event stream apart (https://html.spec.whatwg.org/multipage/server-sent-events.html), however its chunks are
 * cut. What was read of an event that has no end is no event.
 */
export class EventReader {
  readonly #decoder = new TextDecoder()
  /** Of a line that has no end yet. */
  #rest = ''
  /** The last chunk ended with a carriage return, which a line feed may belong to. */
  #isInBreak = false
  #id = ''
  #data: string[] = []
  #length = 0

  /** @throws RangeError when an event is too long */
  read(chunk: Uint8Array): StreamEvent[] {
    let text = this.#decoder.decode(chunk, { stream: true })
    if (text === '') return []
    if (this.#isInBreak && text.startsWith('\n')) text = text.slice(1)
    this.#isInBreak = text.endsWith('\r')
    this.#length += text.length
    if (this.#length > LONGEST) throw new RangeError('An event is too long.')
    const lines = text.split(/\r\n|\r|\n/)
    lines[0] = this.#rest + lines[0]
    this.#rest = lines.pop() as string
    return lines.flatMap((line) => this.#take(line) ?? [])
  }

  #take(line: string): StreamEvent | null {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') this.#data.push(value)
    if (name === 'id' && !value.includes('\0')) this.#id = value
    return null
  }

  #dispatch(): StreamEvent {
    const data = this.#data.length === 0 ? null : this.#data.join('\n')
    this.#data = []
    this.#length = 0
    return { id: this.#id, data }
  }
}
