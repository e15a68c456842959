import type { WireError } from '../wire/wire-error.ts'
import { errorResponse } from './error-response.ts'
import type { Handle } from './handler.ts'
import type { HttpRequest } from './messages.ts'
import type { Origins } from './origins.ts'

export interface PageGuardRules {
  readonly origins: Origins
  /** Whether a link on any page may lead there: to a document for everybody. */
  isPublic(target: string): boolean
  /** Told of each request that is refused. */
  refused(): void
}

/**
 * Stands in front of a service that asks nobody who they are: there a web page could do whatever the person may who
 * opens it. Preflights pass: they do nothing, and CORS answers them.
 */
export function createPageGuard({ origins, isPublic, refused }: PageGuardRules): (handle: Handle) => Handle {
  const objection = (request: HttpRequest): WireError | null => {
    if (request.method === 'OPTIONS') return null
    const error = origins.objectionToHost(request.headers)
    if (error !== null) return error
    const foreign = origins.objectionToPage(request.headers)
    return foreign !== null && isPublic(request.target) && followsLink(request) ? null : foreign
  }
  return (handle) => (request) => {
    const error = objection(request)
    if (error === null) return handle(request)
    refused()
    return Promise.resolve(errorResponse(error, request.headers.accept))
  }
}

/** Whether the person leaves the page for what is asked for. */
function followsLink({ method, headers }: HttpRequest): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers
  return method === 'GET' && mode === 'navigate' && destination === 'document'
}
