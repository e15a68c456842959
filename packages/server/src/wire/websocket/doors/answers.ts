import type { ZaqarError } from '../../../core/errors.ts'
import { printJson } from '../../../model/json.ts'
import type { JsonObject } from '../../../model/model.ts'
import type { AnySocketDoor, SocketAnswer } from '../socket-door.ts'

/** Upstream answers some actions with a sentence for a body. */
export function done(status: number, sentence: string): SocketAnswer {
  return { status, body: printJson(sentence) }
}

/** What is said beside an error of the storage. */
export function unavailable(text: (body: JsonObject) => string): NonNullable<AnySocketDoor['failure']> {
  return (error, body) => (error.code === 'storage.unavailable' ? text(body) : null)
}

/** What is said beside the error that something was not found, and beside one of the storage. */
export function missing(
  code: ZaqarError['code'],
  text: (body: JsonObject) => string,
  failure?: (body: JsonObject) => string,
): NonNullable<AnySocketDoor['failure']> {
  return (error, body) => {
    if (error.code === code) return text(body)
    return failure === undefined ? null : unavailable(failure)(error, body)
  }
}
