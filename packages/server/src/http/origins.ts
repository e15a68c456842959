import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { WireError } from '../wire/wire-error.ts'

export interface OriginRules {
  /** Names of the service in lower case, or `*` for any. Those of this machine and addresses are known anyway. */
  readonly hosts: readonly string[]
  /** Whose pages may call: `scheme://host[:port]` each, or `*` for any. */
  readonly allowedOrigins: readonly string[]
}

/**
 * Which web pages may call, by what their browsers say of a request. Programs other than browsers say nothing, and so
 * may always.
 */
export class Origins {
  readonly #names: ReadonlySet<string>
  readonly #allowed: ReadonlySet<string>
  /** Nearly every request names the same host as the request before. */
  #known = ''

  constructor({ hosts, allowedOrigins }: OriginRules) {
    this.#names = new Set(hosts)
    this.#allowed = new Set(allowedOrigins)
  }

  /** Of the headers of a request, an upgrade too: null where it may call, else the error that says why not. */
  objectionTo(headers: IncomingHttpHeaders): WireError | null {
    return this.objectionToHost(headers) ?? this.objectionToPage(headers)
  }

  /** A page can come by the name of its own host, which it lets lead to the service (DNS rebinding). */
  objectionToHost({ host = '' }: IncomingHttpHeaders): WireError | null {
    if (host === '' || host === this.#known) return null
    if (!this.#isKnown(host)) return unknownHost()
    this.#known = host
    return null
  }

  /** To a page of another origin that is not among the allowed ones. */
  objectionToPage(headers: IncomingHttpHeaders): WireError | null {
    return !comesFromElsewhere(headers) || this.grant(headers.origin) !== null ? null : foreignPage()
  }

  /** What names an allowed origin in an answer, itself or `*`; null where it is not allowed. */
  grant(origin: string | undefined): string | null {
    if (origin !== undefined && this.#allowed.has(origin)) return origin
    return this.#allowed.has('*') ? '*' : null
  }

  #isKnown(host: string): boolean {
    const name = nameIn(host)
    const isHere = isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')
    return isHere || this.#names.has(name) || this.#names.has('*')
  }
}

/** Of a `Host` header: in lower case, without port, brackets and the dot of the root. */
function nameIn(host: string): string {
  const [, address, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? []
  return address ?? (name.endsWith('.') ? name.slice(0, -1) : name)
}

/** Whether a page of another origin asks. Programs other than browsers send neither header. */
function comesFromElsewhere({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  // No page can forge it; `none` is the person, by the address bar or a bookmark. A proxy may have changed the host.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`
}

function unknownHost(): WireError {
  return new WireError(
    403,
    '403 Forbidden',
    'The service knows no host of the name that the request is for. Without authentication it answers to localhost, ' +
      'addresses and the names in [http] allowed_hosts, lest a web page reach it by a name of its own.',
  )
}

function foreignPage(): WireError {
  return new WireError(
    403,
    '403 Forbidden',
    'The request comes from a web page of another origin. Only pages of the origins in [cors] allowed_origin may call.',
  )
}
