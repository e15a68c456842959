import { createHash, timingSafeEqual } from 'node:crypto'
import type { Caller } from '../core/execute.ts'
import { type Authenticate, objectionTo } from '../core/identity.ts'
import type { Readiness } from '../core/readiness.ts'
import { NO_PROJECT } from '../core/rules/projects.ts'
import { CONTENT_TYPES, printMetrics } from '../metrics/exposition.ts'
import type { Family } from '../metrics/family.ts'
import type { Clock } from '../platform/clock.ts'
import { WireError } from '../wire/wire-error.ts'
import { prefersOpenMetrics } from './accept.ts'
import { errorResponse } from './error-response.ts'
import type { Handle } from './handler.ts'
import type { HttpRequest, HttpResponse } from './messages.ts'
import { ShownInHeaders } from './shown.ts'
import { splitTarget } from './target.ts'
import { unauthenticatedResponse } from './unauthenticated.ts'

/** Who may read metrics. */
export type Scrapers =
  /** Everybody who reaches the listener. */
  | { readonly who: 'everybody' }
  /** Who shows the token, or by his own credentials is let in by the policy. */
  | { readonly who: 'known'; readonly token: string | null; readonly accounts: Accounts | null }

/** Those of Keystone. */
interface Accounts {
  readonly authenticate: Authenticate
  readonly keystoneUrl: string | null
  authorise(permission: string, caller: Caller): boolean
}

export interface WatchingPagesParts {
  readonly readiness: Readiness
  /** Null: the metrics are not served here. */
  readonly metrics: { readonly scrapers: Scrapers; scrape(): Promise<readonly Family[]> } | null
  readonly clock: Pick<Clock, 'now'>
  onTrouble(error: unknown, request: HttpRequest): void
}

/** The policy rule that lets somebody read metrics. */
const PERMISSION = 'metrics:get'

/**
 * Puts what those ask for who watch the service in front of a handler: `/livez` and `/readyz`, for everybody and without a
 * word about anything else, and `/metrics`.
 */
export function createWatchingPages(parts: WatchingPagesParts): (handle: Handle) => Handle {
  const pages = new Map<string, Handle>([
    ['/livez', async () => plain(200, 'alive')],
    ['/readyz', () => readyPage(parts.readiness)],
  ])
  const { metrics } = parts
  if (metrics !== null) pages.set('/metrics', (request) => metricsPage(request, metrics, parts))
  return (handle) => (request) => {
    const page = pages.get(splitTarget(request.target)[0])
    return page === undefined ? handle(request) : servePage(page, request, parts)
  }
}

async function servePage(page: Handle, request: HttpRequest, { onTrouble }: WatchingPagesParts): Promise<HttpResponse> {
  const { method, headers } = request
  if (method !== 'GET' && method !== 'HEAD') {
    return errorResponse(
      new WireError(405, '405 Method Not Allowed', undefined, { Allow: 'GET, HEAD' }),
      headers.accept,
    )
  }
  try {
    return await page(request)
  } catch (error) {
    onTrouble(error, request)
    return errorResponse(new WireError(500, '500 Internal Server Error'), headers.accept)
  }
}

async function readyPage(readiness: Readiness): Promise<HttpResponse> {
  const ready = await readiness.check()
  switch (ready) {
    case 'ready':
      return plain(200, 'ready')
    case 'draining':
      return plain(503, 'not ready: the service is about to end')
    case 'storage':
      return plain(503, 'not ready: the storage does not answer')
  }
}

function plain(status: number, text: string): HttpResponse {
  return {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
    body: `${text}\n`,
  }
}

async function metricsPage(
  request: HttpRequest,
  { scrapers, scrape }: NonNullable<WatchingPagesParts['metrics']>,
  parts: WatchingPagesParts,
): Promise<HttpResponse> {
  const refusal = await refusalOf(scrapers, request, parts)
  if (refusal !== null) return refusal
  const form = prefersOpenMetrics(request.headers.accept) ? 'openmetrics' : 'prometheus'
  const headers = { 'Content-Type': CONTENT_TYPES[form], 'Cache-Control': 'no-store', Vary: 'Accept' }
  return { status: 200, headers, body: printMetrics(await scrape(), form) }
}

/** Null: he may read them. */
async function refusalOf(
  scrapers: Scrapers,
  request: HttpRequest,
  parts: WatchingPagesParts,
): Promise<HttpResponse | null> {
  if (scrapers.who === 'everybody') return null
  const { token, accounts } = scrapers
  const bearer = bearerIn(request.headers.authorization)
  if (token !== null && bearer !== null && isSame(bearer, token)) return null
  const shown = new ShownInHeaders(request.headers)
  if (accounts === null || shown.token === undefined) return unknownScraper(token !== null, request)
  return refusalOfAccount(accounts, shown, request, parts)
}

async function refusalOfAccount(
  { authenticate, keystoneUrl, authorise }: Accounts,
  { token, serviceToken }: ShownInHeaders,
  request: HttpRequest,
  { clock, onTrouble }: WatchingPagesParts,
): Promise<HttpResponse | null> {
  // A signed URL is for a queue, so it is not looked at.
  const judged = await authenticate({ token, serviceToken }, request)
  const resource = { method: request.method, path: '/metrics' }
  const identity = 'unauthenticated' in judged ? judged : (objectionTo(judged, resource, clock.now()) ?? judged)
  if ('unauthenticated' in identity) {
    if ('cause' in identity && identity.cause !== null) onTrouble(identity.cause, request)
    return unauthenticatedResponse(identity.unauthenticated, request, keystoneUrl)
  }
  if (authorise(PERMISSION, { ...identity, project: identity.project ?? NO_PROJECT, clientId: '' })) return null
  return errorResponse(
    new WireError(403, '403 Forbidden', `The policy rule ${PERMISSION} does not let you read the metrics.`),
    request.headers.accept,
  )
}

function unknownScraper(isThereToken: boolean, { headers }: HttpRequest): HttpResponse {
  const how = isThereToken
    ? 'The metrics are for who shows the token in [metrics] scrape_token, as Authorization: Bearer.'
    : 'The metrics are not for everybody who reaches this address: [metrics] scrape_token gives a token for them, ' +
      '[http] admin_port a listener of their own.'
  const error = new WireError(401, '401 Unauthorized', how, { 'WWW-Authenticate': 'Bearer realm="metrics"' })
  return errorResponse(error, headers.accept)
}

function bearerIn(authorization: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null
}

/** In a time that says nothing about either. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digestOf(one), digestOf(other))
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
