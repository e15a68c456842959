import { setImmediate } from 'node:timers/promises'
import { parseJson } from '../model/json.ts'
import type { Json, NotifiedMessage } from '../model/model.ts'
import type { Filter } from './rules/filter.ts'

/** Of bodies, in characters: what is remembered, and what is looked at while others wait. */
const REMEMBERED = 4 << 20
const SHORT = 2 << 10

/**
 * Looks at bodies for filters. The same message is looked at for each subscription of its queue, so the latest are
 * remembered; and long ones are looked at one in a turn of the event loop, however many subscriptions ask.
 */
export class ParsedBodies {
  readonly #known = new Map<string, { readonly body: Json; readonly length: number }>()
  #length = 0
  #lastLong: Promise<unknown> = Promise.resolve()

  /** Answers at once for a short one. */
  match(filter: Filter, message: Pick<NotifiedMessage, 'id' | 'body'>): boolean | Promise<boolean> {
    if (message.body.length <= SHORT) return filter(this.#parsed(message))
    const matched = this.#lastLong.then(async () => {
      await setImmediate()
      return filter(this.#parsed(message))
    })
    this.#lastLong = matched.catch(() => undefined)
    return matched
  }

  #parsed({ id, body: text }: Pick<NotifiedMessage, 'id' | 'body'>): Json {
    const known = this.#known.get(id)
    if (known) return known.body
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
