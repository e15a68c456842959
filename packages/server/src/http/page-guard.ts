import { isIP } from 'node:net'
import { WireError } from '../wire/wire-error.ts'
import { errorResponse } from './error-response.ts'
import type { Handle } from './handler.ts'
import type { HttpRequest } from './messages.ts'

export interface PageGuardRules {
  /** Names of the service in lower case, or `*` for any. Those of this machine and addresses are known anyway. */
  readonly hosts: readonly string[]
  /** Whose pages may call: `scheme://host[:port]` each, or `*` for any. */
  readonly allowedOrigins: readonly string[]
  /** Whether a link on any page may lead there: to a document for everybody. */
  isPublic(target: string): boolean
}

/**
 * Stands in front of a service that asks nobody who they are: there a web page could do whatever the person may who
 * opens it. Such a page comes by the name of its own host, which it lets lead to the service (DNS rebinding), or the
 * browser says that the request is from another site. Preflights pass: they do nothing, and CORS answers them.
 */
export function createPageGuard({ hosts, allowedOrigins, isPublic }: PageGuardRules): (handle: Handle) => Handle {
  const names = new Set(hosts)
  const isKnown = (host: string): boolean => {
    const name = nameIn(host)
    const isHere = isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')
    return isHere || names.has(name) || names.has('*')
  }
  const isAllowed = (origin: string | undefined): boolean =>
    allowedOrigins.includes('*') || (origin !== undefined && allowedOrigins.includes(origin))
  // Browsers always name the host. Nearly every request names the same one as the request before.
  let known = ''
  const objection = (request: HttpRequest): WireError | null => {
    if (request.method === 'OPTIONS') return null
    const { host = '', origin } = request.headers
    if (host !== '' && host !== known) {
      if (!isKnown(host)) return unknownHost()
      known = host
    }
    if (!comesFromElsewhere(request.headers) || isAllowed(origin)) return null
    return isPublic(request.target) && followsLink(request) ? null : foreignPage()
  }
  return (handle) => (request) => {
    const error = objection(request)
    return error === null ? handle(request) : Promise.resolve(errorResponse(error, request.headers.accept))
  }
}

/** Of a `Host` header: in lower case, without port, brackets and the dot of the root. */
function nameIn(host: string): string {
  const [, address, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? []
  return address ?? (name.endsWith('.') ? name.slice(0, -1) : name)
}

/** Whether a page of another origin asks. Programs other than browsers send neither header. */
function comesFromElsewhere({ origin, host, 'sec-fetch-site': site }: HttpRequest['headers']): boolean {
  // No page can forge it; `none` is the person, by the address bar or a bookmark. A proxy may have changed the host.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`
}

/** Whether the person leaves the page for what is asked for. */
function followsLink({ method, headers }: HttpRequest): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers
  return method === 'GET' && mode === 'navigate' && destination === 'document'
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
    'The request comes from a web page of another origin. Without authentication only pages of the origins in ' +
      '[cors] allowed_origin may call.',
  )
}
