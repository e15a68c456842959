import type { IncomingHttpHeaders } from 'node:http'
import type { Shown } from '../core/identity.ts'
import type { HttpRequest } from './messages.ts'
import { ShownInHeaders } from './shown.ts'
import { splitTarget } from './target.ts'

/** Parameters for what clients would say in headers that can set none, such as `EventSource`: by the header. */
const CREDENTIALS = new Map([
  ['auth_token', 'x-auth-token'],
  ['url_signature', 'url-signature'],
  ['url_methods', 'url-methods'],
  ['url_paths', 'url-paths'],
  ['url_expires', 'url-expires'],
])
/** Those that are no secret. */
const CALLER = new Map([
  ['project_id', 'x-project-id'],
  ['client_id', 'client-id'],
])
const ALL = new Map([...CREDENTIALS, ...CALLER])

/** What a query shows of who sends it, where `[http] credentials_in_query` lets it. */
export function shownInQuery(rawQuery: string): Shown {
  return new ShownInHeaders(inQuery(rawQuery, ALL))
}

/**
 * The headers of a request with what its query says in their place. What the headers say counts first: where they show
 * credentials those of the query are not looked at.
 */
export function withCallerInQuery(
  { headers, target }: Pick<HttpRequest, 'headers' | 'target'>,
  { credentials }: { credentials: boolean },
): IncomingHttpHeaders {
  const isShown = headers['x-auth-token'] !== undefined || headers['url-signature'] !== undefined
  const [, query] = splitTarget(target)
  return { ...inQuery(query, credentials && !isShown ? ALL : CALLER), ...headers }
}

/** Path and query without credentials, for whoever logs them or makes links of them. */
export function withoutCredentials(target: string): string {
  const [path, query] = splitTarget(target)
  if (query === '') return target
  const pairs = query.split('&')
  const others = pairs.filter((pair) => ![...new URLSearchParams(pair).keys()].some((name) => CREDENTIALS.has(name)))
  if (others.length === pairs.length) return target
  return others.length === 0 ? path : `${path}?${others.join('&')}`
}

/** Of a parameter that is there more than once the last value counts. */
function inQuery(rawQuery: string, names: ReadonlyMap<string, string>): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {}
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    const header = names.get(name)
    if (header !== undefined && value !== '') headers[header] = value
  }
  return headers
}
