import { ZaqarError } from '../../core/errors.ts'
import { printJson } from '../../model/json.ts'
import type { JsonObject } from '../../model/model.ts'
import { asWireError } from '../errors.ts'
import { refusal } from './frames.ts'
import type { AnySocketDoor, SocketAnswer } from './socket-door.ts'

const NOT_AUTHENTIFIED = 'Not authentified.'

/**
 * What is answered where an action could not be done. `exception` says what is wrong, `error` what could not be done, in
 * upstream's words, or null. Credentials that are not good, or not good for this, are told apart by their status only.
 * (contract websocket.md 3, 5, 6)
 */
export function socketError(error: unknown, door: AnySocketDoor, body: JsonObject): SocketAnswer {
  if (error instanceof ZaqarError) {
    if (error.kind === 'unauthenticated' || error.kind === 'hidden') return refusal(403, NOT_AUTHENTIFIED)
    if (error.code === 'token.unverified') return refusal(503, 'Authentication failed.')
  }
  const { status, title, description = title } = asWireError(error)
  const failure = error instanceof ZaqarError ? (door.failure?.(error, body) ?? null) : unforeseen(status)
  if (typeof failure === 'object' && failure !== null) return { status, body: failure.body }
  return { status, body: printJson({ exception: description, error: failure }) }
}

function unforeseen(status: number): string | null {
  return status === 500 ? 'Unexpected error.' : null
}
