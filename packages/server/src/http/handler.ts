import { ZaqarError } from '../core/errors.ts'
import type { Caller, Execute } from '../core/execute.ts'
import { type Authenticate, judgedToken, NOBODY, objectionTo, type Unauthenticated } from '../core/identity.ts'
import type { MeasuredRequest, RequestMeter } from '../core/request-meter.ts'
import type { Limits } from '../core/rules/limits.ts'
import { checkQueueKey } from '../core/rules/names.ts'
import type { QueueKey } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'
import { type ClientIdRules, readCaller } from '../wire/caller.ts'
import type { Answer, AnyDoor, Method } from '../wire/door.ts'
import { asWireError, isTrouble } from '../wire/errors.ts'
import { parseQuery, type Query } from '../wire/query.ts'
import type { StaticDocument } from '../wire/static-document.ts'
import { invalidRequest, WireError } from '../wire/wire-error.ts'
import { acceptsJson, EVENT_STREAM, prefersEvents } from './accept.ts'
import { errorResponse } from './error-response.ts'
import { ClientGone, type HttpRequest, type HttpResponse } from './messages.ts'
import type { Match, Route, Routes } from './routes.ts'
import { ShownInHeaders } from './shown.ts'
import { withCallerInQuery, withoutCredentials } from './shown-in-query.ts'
import { splitTarget } from './target.ts'
import { unauthenticatedResponse } from './unauthenticated.ts'

export interface HandlerParts {
  readonly authenticate: Authenticate
  /** Where callers get tokens; null where they need none. */
  readonly keystoneUrl: string | null
  readonly routes: Routes
  readonly execute: Execute
  readonly limits: Limits
  readonly clock: Clock
  readonly meter: RequestMeter
  readonly clientIds: ClientIdRules
  /** Whether the query of an event stream may show who asks for it. */
  readonly credentialsInQuery: boolean
  /** Told of every error that is ours: what could not be served, and bugs. */
  onTrouble(error: unknown, request: HttpRequest): void
}

/** From a plain request to a plain response. @throws ClientGone, and nothing else */
export type Handle = (request: HttpRequest) => Promise<HttpResponse>

export function createHandler(parts: HandlerParts): Handle {
  const { meter } = parts
  return async (request) => {
    const measured = meter.begin(request.id)
    let response: HttpResponse
    try {
      response = await answer(request, measured, parts)
    } catch (error) {
      if (error instanceof ClientGone) throw error
      response = responseTo(error, request, parts)
    }
    meter.end(measured, response.status)
    return response
  }
}

function responseTo(error: unknown, request: HttpRequest, { onTrouble }: HandlerParts, headers = {}): HttpResponse {
  if (request.method === 'OPTIONS') return PREFLIGHT
  const wireError = asWireError(error)
  if (isTrouble(error, wireError.status)) onTrouble(error, request)
  const response = errorResponse(wireError, request.headers.accept)
  return { ...response, headers: { ...response.headers, ...headers } }
}

/** Whatever an OPTIONS request does wrong. (contract http.md 1.15) */
const PREFLIGHT: HttpResponse = { status: 200, headers: {}, body: '' }

async function answer(request: HttpRequest, measured: MeasuredRequest, parts: HandlerParts): Promise<HttpResponse> {
  const { credentialsInQuery } = parts
  const [rawPath, rawQuery] = splitTarget(credentialsInQuery ? withoutCredentials(request.target) : request.target)
  const path = rawPath.includes('%') ? decodePath(rawPath) : rawPath
  const resource = { method: request.method, path }
  const match = parts.routes.find(forRouter(path))
  const getsEvents = match !== null && prefersEvents(request.headers.accept) && hasEvents(match.route, request.method)
  // No page can set headers of an event stream that it asks for.
  const headers = getsEvents ? withCallerInQuery(request, { credentials: credentialsInQuery }) : request.headers
  const shown = new ShownInHeaders(headers)
  const isOpen = parts.routes.isPublic(path) && shown.signed === undefined
  const judged = isOpen ? NOBODY : await parts.authenticate(shown, request)
  // As `execute` does, but before it is told whether there is such a route, and before a body is read.
  const identity = 'unauthenticated' in judged ? judged : (objectionTo(judged, resource, parts.clock.now()) ?? judged)
  if ('unauthenticated' in identity) {
    if (request.method === 'OPTIONS') return PREFLIGHT
    if ('cause' in identity && identity.cause !== null) parts.onTrouble(identity.cause, request)
    return unauthenticatedResponse(identity.unauthenticated, request, parts.keystoneUrl)
  }
  if (match === null) throw new WireError(404, '404 Not Found')
  const { route, params } = match
  if (route.document !== null) measured.operation = 'document'
  checkContentType(request)
  if (!isPage(route) && !getsEvents) checkAccept(request.headers.accept)
  if (route.version === null) return documentFor(request, route)
  const caller = readCaller(identity, clientIdIn(headers), parts.clientIds, route.version.callers)
  // As `execute` does, but before the method is looked at.
  if (params['queue'] !== undefined) checkQueueKey(keyIn(route, params['queue'], caller))
  if (route.document !== null) return documentFor(request, route)
  if (!route.methods.includes(request.method)) return otherMethod(request, route)
  const query = parseQuery(rawQuery)
  const door = chooseDoor(route, request.method as Method, query, getsEvents)
  measured.door = route.version.prefix.slice(1)
  measured.operation = door.operation.name
  const reading = request.readBody()
  const doorRequest = {
    prefix: route.version.prefix,
    path,
    params,
    query,
    rawQuery,
    body: reading instanceof Promise ? await reading : reading,
    headers: request.headers,
    caller,
    messageForm: route.version.messageForm,
    doors: route.version.doors,
    limits: parts.limits,
  }
  try {
    const call = {
      ...request,
      signal: measured.noting(request.signal),
      resource,
      names: params,
      token: () => judgedToken(shown),
    }
    const output = await parts.execute(door.operation, () => door.decode(doorRequest), caller, call)
    return toResponse(door.encode(output, doorRequest))
  } catch (error) {
    if (!(error instanceof ZaqarError || error instanceof WireError)) throw error
    if (isUnauthenticated(error)) return unauthenticatedResponse(error.code, request, parts.keystoneUrl)
    return responseTo(error, request, parts, door.errorHeaders?.(error, doorRequest))
  }
}

/** Whether the credentials have ended while the body was read. */
function isUnauthenticated(error: Error): error is ZaqarError & { code: Unauthenticated['unauthenticated'] } {
  return error instanceof ZaqarError && (error.kind === 'unauthenticated' || error.kind === 'hidden')
}

/** Broken escapes stay as they are; no name can hold them. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/**
 * The path is decoded before routing, so that `%2F` separates; what the router would decode or cut off again is
 * escaped.
 */
function forRouter(path: string): string {
  return /[%?#]/.test(path) ? path.replace(/[%?#]/g, encodeURIComponent) : path
}

function clientIdIn(headers: HttpRequest['headers']): string | undefined {
  return headers['client-id'] as string | undefined
}

function checkContentType({ headers }: HttpRequest): void {
  const isForm = headers['content-type']?.toLowerCase() === 'application/x-www-form-urlencoded'
  if (isForm && headers['content-length'] !== undefined) {
    throw new WireError(
      400,
      'Invalid Content-Type',
      'Endpoint does not accept `application/x-www-form-urlencoded` content.',
    )
  }
}

function checkAccept(accept: string | undefined): void {
  if (acceptsJson(accept)) return
  throw new WireError(
    406,
    '406 Not Acceptable',
    'Only application/json can be made here; the Accept header of the request does not admit it.',
  )
}

/** All doors of a route are for queues, or all for topics. */
function keyIn({ doors }: Route, name: string, { project }: Caller): QueueKey {
  const [[door] = []] = doors.values()
  return { project, kind: door?.operation.kind ?? 'queue', name }
}

/** RFC 9110, PATCH and WebDAV: what upstream's server knows as a method. */
const KNOWN_METHODS = new Set(
  (
    'CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE ' +
    'CHECKIN CHECKOUT COPY LOCK MKCOL MOVE PROPFIND PROPPATCH REPORT UNCHECKIN UNLOCK UPDATE VERSION-CONTROL'
  ).split(' '),
)

function otherMethod({ method }: HttpRequest, { methods }: Route): HttpResponse {
  if (method === 'OPTIONS') return { status: 200, headers: { Allow: methods.join(', ') }, body: '' }
  if (!KNOWN_METHODS.has(method)) throw new WireError(400, 'Bad request', 'Invalid HTTP method')
  throw new WireError(405, '405 Method Not Allowed', undefined, { Allow: [...methods, 'OPTIONS'].join(', ') })
}

function documentFor(request: HttpRequest, route: Route): HttpResponse {
  if (!route.methods.includes(request.method)) return otherMethod(request, route)
  const { status, headers, bytes } = route.document as StaticDocument
  return { status, headers: { ...headers, 'X-Content-Type-Options': 'nosniff' }, body: bytes() }
}

/** Whether people read it, whose browsers ask for no JSON. */
function isPage({ document }: Route): boolean {
  return document?.headers['Content-Type']?.startsWith('text/html') === true
}

/** Whether events can be had there. */
function hasEvents({ doors }: Route, method: string): boolean {
  return doors.get(method as Method)?.some((door) => door.answersEvents) === true
}

function chooseDoor({ doors }: Match['route'], method: Method, query: Query, getsEvents: boolean): AnyDoor {
  const isOne = ({ when, answersEvents }: AnyDoor) =>
    (answersEvents === true) === getsEvents && (when === undefined || when(query))
  const door = doors.get(method)?.find(isOne)
  if (door === undefined) throw invalidRequest('The parameters of the request fit no operation of this resource.')
  return door
}

/** Proxies should hand events on as they come. */
const EVENT_HEADERS = { 'Content-Type': EVENT_STREAM, 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }

/** 204 has no content type; everything else has, even when it has no content. (contract http.md 1.10) */
function toResponse({ status, headers = {}, body, events }: Answer): HttpResponse {
  if (events !== undefined) return { status, headers: { ...EVENT_HEADERS, ...headers }, body: events }
  if (status === 204) return { status, headers, body: undefined }
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: body ?? '' }
}
