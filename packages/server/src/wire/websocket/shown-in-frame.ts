import { type Asserted, rolesIn, type Shown, type SignedUrl } from '../../core/identity.ts'
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
      roles: rolesIn(this.#text('X-Roles')),
      userId: this.#text('X-User-Id'),
    }
  }

  #text(name: string): string | null {
    const value = Object.hasOwn(this.#headers, name) ? this.#headers[name] : null
    return typeof value === 'string' ? value : null
  }
}

const READ = [
  ...['Client-ID', 'X-Project-ID', 'X-Auth-Token', 'X-Service-Token', 'X-Roles', 'X-User-Id'],
  ...['URL-Signature', 'URL-Methods', 'URL-Paths', 'URL-Expires', 'traceparent', 'tracestate'],
]

/** Those headers of a frame that are looked at: texts, lists of texts, and null where they are anything else. */
export function readHeaders(headers: JsonObject): JsonObject {
  const read: JsonObject = {}
  for (const name of READ) {
    if (!Object.hasOwn(headers, name)) continue
    const value = headers[name]
    read[name] = typeof value === 'string' || isTexts(value) ? value : null
  }
  return read
}

function isTexts(value: Json | undefined): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

/** The list, where it is one of texts; otherwise nothing. */
function textsIn(value: Json | undefined): string[] {
  return isTexts(value) ? value : []
}
