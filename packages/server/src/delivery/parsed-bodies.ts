import { setImmediate } from 'node:timers/promises'
import { parseJson } from '../model/json.ts'
import type { Json, NotifiedMessage } from '../model/model.ts'

/** Of bodies, in characters: what is remembered, and what is parsed while others wait. */
const REMEMBERED = 4 << 20
const SHORT = 16 << 10

/**
 * Parses bodies for filters. The same message is looked at for each subscription of its queue, so the latest are
 * remembered; and long ones are parsed one in a turn of the event loop, however many subscriptions ask.
 */
export class ParsedBodies {
  readonly #known = new Map<string, { readonly body: Json; readonly length: number }>()
  #length = 0
  #lastLong: Promise<unknown> = Promise.resolve()

  async get({ id, body: text }: NotifiedMessage): Promise<Json> {
    const known = this.#known.get(id)
    if (known) return known.body
    if (text.length <= SHORT) return this.#parse(id, text)
    const parsed = this.#lastLong.then(async () => {
      await setImmediate()
      return this.#known.get(id)?.body ?? this.#parse(id, text)
    })
    this.#lastLong = parsed.catch(() => undefined)
    return parsed
  }

  #parse(id: string, text: string): Json {
    const body = parseJson(text)
    this.#known.set(id, { body, length: text.length })
    this.#length += text.length
    for (const [oldest, { length }] of this.#known) {
      if (this.#length <= REMEMBERED) break
      this.#known.delete(oldest)
      this.#length -= length
    }
    return body
  }
}
