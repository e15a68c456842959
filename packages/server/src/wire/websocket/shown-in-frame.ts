import type { Asserted, Shown, SignedUrl } from '../../core/identity.ts'
import type { Json, JsonObject } from '../../model/model.ts'

/**
 * What the headers of a frame show of who sends it. Names are case-sensitive, and what a signature is good for are JSON
 * lists. (contract websocket.md 3, 5.4)
 */
export class ShownInFrame implements Shown {
  readonly #headers: JsonObject

  constructor(headers: JsonObject) {
    this.#headers = headers
  }

  /** There as soon as its header is. What is no signature is a bad one. */
  get signed(): SignedUrl | undefined {
    if (!Object.hasOwn(this.#headers, 'URL-Signature')) return undefined
    return {
      signature: this.#text('URL-Signature') ?? '',
      methods: textsIn(this.#headers['URL-Methods']),
      paths: textsIn(this.#headers['URL-Paths']),
      expires: this.#text('URL-Expires') ?? '',
      project: this.#text('X-Project-ID'),
    }
  }

  get token(): string | undefined {
    return this.#text('X-Auth-Token') ?? undefined
  }

  get serviceToken(): string | undefined {
    return this.#text('X-Service-Token') ?? undefined
  }

  get asserted(): Asserted {
    return {
      project: this.#text('X-Project-ID'),
      roles:
        this.#text('X-Roles')
          ?.split(',')
          .map((role) => role.trim()) ?? [],
      userId: this.#text('X-User-Id'),
    }
  }

  #text(name: string): string | null {
    const value = Object.hasOwn(this.#headers, name) ? this.#headers[name] : null
    return typeof value === 'string' ? value : null
  }
}

/** The list, where it is one of texts; otherwise nothing. */
function textsIn(value: Json | undefined): string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : []
}
