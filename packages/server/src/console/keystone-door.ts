import { type KeystoneConnection, KeystoneUnavailable } from '../auth/keystone/keystone-connection.ts'
import type { HttpRequest, HttpResponse } from '../http/messages.ts'
import { readObject } from '../wire/body.ts'
import { WireError } from '../wire/wire-error.ts'

type Method = 'GET' | 'POST' | 'DELETE'

/** All that signing in and out needs of Keystone: nothing else is handed on. */
const DOORS: Readonly<Record<string, readonly Method[]>> = {
  'keystone/v3/auth/tokens': ['POST', 'DELETE'],
  'keystone/v3/auth/projects': ['GET'],
}
/** Of what a page says, and of what Keystone answers. */
const ASKED = ['x-auth-token', 'x-subject-token'] as const
const ANSWERED = ['content-type', 'x-subject-token'] as const

export function isSignIn(path: string): boolean {
  return Object.hasOwn(DOORS, path)
}

/**
 * Hands a request of the console's own page on to Keystone, which pages of other origins may not talk to. Nothing of it
 * is kept or logged. @throws WireError, ClientGone
 */
export async function handOnToKeystone(
  path: string,
  request: HttpRequest,
  keystone: KeystoneConnection,
): Promise<HttpResponse> {
  const methods = DOORS[path] as readonly Method[]
  const method = methods.find((one) => one === request.method)
  if (method === undefined) throw new WireError(405, '405 Method Not Allowed', undefined, { Allow: methods.join(', ') })
  const { 'sec-fetch-site': site } = request.headers
  if (site !== undefined && site !== 'same-origin') {
    throw new WireError(403, '403 Forbidden', 'Only the page of the console may sign in here.')
  }
  const headers = headersOf(request)
  const sent = { method, path: path.slice('keystone/v3'.length), headers, mayRepeat: method === 'GET' }
  const body = method === 'POST' ? { body: readObject(await request.readBody()) } : {}
  try {
    const answer = await keystone.send({ ...sent, ...body })
    const shown = ANSWERED.flatMap((name) => {
      const value = answer.headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    })
    const kept = { 'Cache-Control': 'no-store', ...Object.fromEntries(shown) }
    return { status: answer.status, headers: kept, body: answer.status === 204 ? undefined : answer.text }
  } catch (error) {
    if (!(error instanceof KeystoneUnavailable)) throw error
    throw new WireError(503, '503 Service Unavailable', 'Keystone does not answer.')
  }
}

function headersOf({ headers }: HttpRequest): Record<string, string> {
  return Object.fromEntries(
    ASKED.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}
