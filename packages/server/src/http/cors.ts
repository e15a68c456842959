import type { Handle } from './handler.ts'
import type { HttpRequest, HttpResponse } from './messages.ts'
import type { Origins } from './origins.ts'

/** What pages of other origins may do. */
export interface CorsRules {
  /** `scheme://host[:port]` each, or `*` for any. None: the service says nothing about origins. */
  readonly allowedOrigins: readonly string[]
  readonly allowCredentials: boolean
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  /** How long a browser may remember the answer to a preflight. */
  readonly maxAgeSeconds: number
}

/** Allowed always, as the layer of upstream has it. */
const SIMPLE_HEADERS = [
  'accept',
  'accept-language',
  'content-type',
  'cache-control',
  'content-language',
  'expires',
  'last-modified',
  'pragma',
]

/**
 * Puts the rules around a handler: adds headers to its answers and changes nothing else. (contract auth-policy.md 8)
 */
export function createCors(rules: CorsRules, origins: Origins): (handle: Handle) => Handle {
  const headersFor = createCorsHeaders(rules, origins)
  if (rules.allowedOrigins.length === 0) return (handle) => handle
  return (handle) => async (request) => {
    const response = await handle(request)
    const added = headersFor(request)
    return added === null ? response : withHeaders(response, added)
  }
}

function withHeaders(response: HttpResponse, added: Readonly<Record<string, string>>): HttpResponse {
  const vary = [response.headers['Vary'], 'Origin'].filter((name) => name !== undefined).join(',')
  return { ...response, headers: { ...response.headers, ...added, Vary: vary } }
}

/** Null where nothing is allowed: the browser then keeps the answer from the page. */
function createCorsHeaders(
  rules: CorsRules,
  origins: Origins,
): (request: HttpRequest) => Record<string, string> | null {
  const methods = new Set(rules.allowMethods)
  const names = new Set([...SIMPLE_HEADERS, ...rules.allowHeaders.map((name) => name.toLowerCase())])
  const credentials: Record<string, string> = rules.allowCredentials
    ? { 'Access-Control-Allow-Credentials': 'true' }
    : {}
  const exposed: Record<string, string> =
    rules.exposeHeaders.length > 0 ? { 'Access-Control-Expose-Headers': rules.exposeHeaders.join(',') } : {}

  const preflight = ({ headers }: HttpRequest): Record<string, string> | null => {
    const method = headers['access-control-request-method']
    if (method === undefined || !methods.has(method)) return null
    const asked = namesIn(headers['access-control-request-headers'])
    if (!asked.every((name) => names.has(name.toLowerCase()))) return null
    return {
      'Access-Control-Max-Age': String(rules.maxAgeSeconds),
      'Access-Control-Allow-Methods': method,
      ...(asked.length > 0 && { 'Access-Control-Allow-Headers': asked.join(',') }),
    }
  }

  return (request) => {
    if (request.headers.origin === undefined) return null
    const origin = origins.grant(request.headers.origin)
    if (origin === null) return null
    const specific = request.method === 'OPTIONS' ? preflight(request) : exposed
    return specific && { 'Access-Control-Allow-Origin': origin, ...credentials, ...specific }
  }
}

function namesIn(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
