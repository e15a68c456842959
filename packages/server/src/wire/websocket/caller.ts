import type { Caller } from '../../core/execute.ts'
import type { Identity } from '../../core/identity.ts'
import type { JsonObject } from '../../model/model.ts'
import { type ClientIdRules, freeForm, readProject, uuidValue } from '../caller.ts'
import { WireError } from '../wire-error.ts'
import type { AnySocketDoor } from './socket-door.ts'

/**
 * Who calls: somebody who is known, with the client that the headers name. Only where it counts must it be named well.
 * (contract websocket.md 5.6, 5.7)
 * @throws WireError 400
 */
export function socketCaller(
  identity: Identity,
  headers: JsonObject,
  door: Pick<AnySocketDoor, 'needsNoCaller' | 'checksClientId'>,
  rules: ClientIdRules,
): Caller {
  const given = typeof headers['Client-ID'] === 'string' ? headers['Client-ID'] : ''
  const clientId = rules.strict ? uuidValue(given) : freeForm(given, rules)
  if (clientId === null && door.checksClientId) {
    const problem = rules.strict
      ? 'badly formed hexadecimal UUID string'
      : `Client-ID must have at least ${rules.minLength} and at most ${rules.maxLength} characters`
    throw new WireError(400, 'Bad request', problem)
  }
  return { ...identity, clientId: clientId ?? '', project: readProject(identity, door.needsNoCaller !== true) }
}
