import type { IncomingHttpHeaders } from 'node:http'
import { type Asserted, rolesIn, type Shown, type SignedUrl } from '../core/identity.ts'

/**
 * What the headers of a request show of who sends it. Each part is read when it is asked for, since few of them count.
 */
export class ShownInHeaders implements Shown {
  readonly #headers: IncomingHttpHeaders

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers
  }

  /** There as soon as its header is. (contract signed-urls.md 4) */
  get signed(): SignedUrl | undefined {
    if (this.#headers['url-signature'] === undefined) return undefined
    return {
      signature: this.#text('url-signature') ?? '',
      methods: (this.#text('url-methods') ?? '').split(','),
      paths: (this.#text('url-paths') ?? '').split(','),
      expires: this.#text('url-expires') ?? '',
      project: this.#project(),
    }
  }

  get token(): string | undefined {
    return this.#text('x-auth-token') ?? undefined
  }

  get serviceToken(): string | undefined {
    return this.#text('x-service-token') ?? undefined
  }

  /** (contract auth-policy.md 2.1) */
  get asserted(): Asserted {
    return {
      project: this.#project(),
      roles: rolesIn(this.#text('x-roles')),
      userId: this.#text('x-user-id'),
    }
  }

  /** The legacy name stands in where the usual one is missing. */
  #project(): string | null {
    return this.#text('x-project-id') ?? this.#text('x-tenant-id')
  }

  #text(name: string): string | null {
    const value = this.#headers[name]
    return typeof value === 'string' ? value : null
  }
}
