import type { Caller } from '../core/execute.ts'
import type { Identity } from '../core/identity.ts'
import { NO_PROJECT } from '../core/rules/projects.ts'
import { isStorable } from '../model/text.ts'
import type { CallerRules } from './versions.ts'
import { clientIdMissing, invalidRequest, WireError } from './wire-error.ts'

export interface ClientIdRules {
  /** Only UUIDs. */
  readonly strict: boolean
  /** Characters, where any text will do. */
  readonly minLength: number
  readonly maxLength: number
}

/**
 * Who calls: somebody who is known, with one of several clients. `given`: the client's id as sent. (contract http.md
 * 1.3, 1.4)
 * @throws WireError 400, the client's id before the project
 */
export function readCaller(
  identity: Identity,
  given: string | undefined,
  rules: ClientIdRules,
  { needsProject, needsClientId, insistsOnUuids }: CallerRules,
): Caller {
  if (given === undefined && needsClientId) throw clientIdMissing()
  const clientId = given === undefined ? '' : readClientId(given, insistsOnUuids ? { ...rules, strict: true } : rules)
  return { ...identity, clientId, project: readProject(identity, needsProject) }
}

function readClientId(given: string, rules: ClientIdRules): string {
  const id = rules.strict ? uuidValue(given) : freeForm(given, rules)
  if (id === null) throw new WireError(400, 'Wrong UUID value', 'Malformed hexadecimal UUID.')
  return id
}

/** How nearly every client spells it. */
const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Characters. Python takes any number of braces and hyphens; nobody writes so many. */
const LONGEST_UUID = 200

/** The 32 digits of a UUID in any spelling that Python takes: braces, hyphens, `urn:uuid:`; null when it is none. */
export function uuidValue(given: string): string | null {
  if (given.length > LONGEST_UUID) return null
  if (CANONICAL_UUID.test(given)) return given.replaceAll('-', '')
  const bare = given.replaceAll('urn:', '').replaceAll('uuid:', '')
  const [, spelt = ''] = /^[{}]*([0-9a-f-]{32,})[{}]*$/i.exec(bare) ?? []
  const digits = spelt.replaceAll('-', '')
  return digits.length === 32 ? digits.toLowerCase() : null
}

export function freeForm(given: string, { minLength, maxLength }: ClientIdRules): string | null {
  return given.length >= minLength && given.length <= maxLength && isStorable(given) ? given : null
}

export function readProject({ project }: Identity, isNeeded: boolean): string {
  if (project === null && !isNeeded) return NO_PROJECT
  if (project === null) throw new WireError(400, 'Project-Id Missing', 'The header X-PROJECT-ID was missing')
  if (project === '') {
    throw new WireError(400, 'Empty project header not allowed', 'Empty project header not allowed: X-PROJECT-ID')
  }
  if (!isStorable(project)) throw invalidRequest('The project id holds a character that cannot be stored.')
  return project
}
