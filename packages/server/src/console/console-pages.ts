import type { KeystoneConnection } from '../auth/keystone/keystone-connection.ts'
import { LEAST_SECONDS, type Limits } from '../core/rules/limits.ts'
import { errorResponse } from '../http/error-response.ts'
import type { Handle } from '../http/handler.ts'
import { ClientGone, type HttpRequest, type HttpResponse } from '../http/messages.ts'
import { splitTarget } from '../http/target.ts'
import { asWireError } from '../wire/errors.ts'
import { WireError } from '../wire/wire-error.ts'
import type { ConsoleFiles } from './console-files.ts'
import { handOnToKeystone, isSignIn } from './keystone-door.ts'

export interface ConsolePagesParts {
  readonly files: ConsoleFiles
  /** Where people sign in; null where nobody is asked who they are. */
  readonly keystone: KeystoneConnection | null
  readonly limits: Limits
  onTrouble(error: unknown, request: HttpRequest): void
}

const ROOT = '/console/'

/** Puts the console in front of a handler: below `/console/`, for everybody, since what it shows it asks the API for. */
export function createConsolePages(parts: ConsolePagesParts): (handle: Handle) => Handle {
  return (handle) => (request) => {
    const [path] = splitTarget(request.target)
    if (path === '/console') return Promise.resolve(LEAD_IN)
    return path.startsWith(ROOT) ? serve(path.slice(ROOT.length), request, parts) : handle(request)
  }
}

/** Whether it is the page that a link may lead to. */
export function isConsole(target: string): boolean {
  const [path] = splitTarget(target)
  return path === '/console' || path === ROOT
}

/** The address is relative: a proxy may have put the service below another path. */
const LEAD_IN: HttpResponse = { status: 308, headers: { Location: 'console/' }, body: '' }

async function serve(path: string, request: HttpRequest, parts: ConsolePagesParts): Promise<HttpResponse> {
  try {
    if (parts.keystone !== null && isSignIn(path)) return await handOnToKeystone(path, request, parts.keystone)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new WireError(405, '405 Method Not Allowed', undefined, { Allow: 'GET, HEAD' })
    }
    return path === 'settings.json' ? settings(parts) : file(path, request, parts.files)
  } catch (error) {
    if (error instanceof ClientGone) throw error
    const wireError = asWireError(error)
    if (wireError.status >= 500) parts.onTrouble(error, request)
    return errorResponse(wireError, request.headers.accept)
  }
}

/** What the page has to know before anybody has signed in: how that is done, and what its fields may hold and its pages ask for. */
function settings({ keystone, limits }: ConsolePagesParts): HttpResponse {
  const document = {
    signIn: keystone === null ? 'none' : 'keystone',
    limits: {
      ttl: [LEAST_SECONDS, limits.maxMessageTtlSeconds],
      delay: [0, limits.maxMessageDelaySeconds],
      claimTtl: [LEAST_SECONDS, limits.maxClaimTtlSeconds],
      claimGrace: [LEAST_SECONDS, limits.maxClaimGraceSeconds],
      claimed: [1, limits.maxMessagesPerClaimOrPop],
      postBytes: [1, limits.maxMessagesPostBytes],
      queuesOfPage: [1, limits.maxQueuesPerPage],
      messagesOfPage: [1, limits.maxMessagesPerPage],
    },
  }
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    body: JSON.stringify(document),
  }
}

/** @throws WireError 404 */
function file(path: string, { headers }: HttpRequest, files: ConsoleFiles): HttpResponse {
  const found = files.get(path)
  if (found === undefined) {
    const how = files.size === 0 ? 'The console was not built: `npm run build:console` does it.' : undefined
    throw new WireError(404, '404 Not Found', how)
  }
  if (!acceptsGzip(headers['accept-encoding'])) return { status: 200, headers: found.headers, body: found.bytes }
  return { status: 200, headers: { ...found.headers, 'Content-Encoding': 'gzip' }, body: found.gzipped() }
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((one) => one.trim().split(';')[0] === 'gzip' && !/;\s*q=0(\.0*)?$/.test(one.trim()))
}
