import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from '../core/execute.ts'
import { Refusal } from '../wire/refusal.ts'

export interface ClientIdRules {
  /** Only UUIDs. */
  readonly strict: boolean
  /** Characters, where any text will do. */
  readonly minLength: number
  readonly maxLength: number
}

export const MAX_PROJECT_LENGTH = 256

/**
 * Who calls, by the headers alone. (contract http.md 1.3, 1.4)
 * @throws Refusal 400, the client's id before the project
 */
export function readCaller(headers: IncomingHttpHeaders, rules: ClientIdRules): Caller {
  const clientId = readClientId(header(headers, 'client-id'), rules)
  return { clientId, project: readProject(headers), roles: readRoles(headers) }
}

function readClientId(given: string | undefined, rules: ClientIdRules): string {
  if (given === undefined) throw new Refusal(400, 'Missing header value', 'The "Client-ID" header is required.')
  const id = rules.strict ? uuidValue(given) : freeForm(given, rules)
  if (id === null) throw new Refusal(400, 'Wrong UUID value', 'Malformed hexadecimal UUID.')
  return id
}

/** The 32 digits of a UUID in any spelling that Python takes: braces, hyphens, `urn:uuid:`; null when it is none. */
function uuidValue(given: string): string | null {
  const digits = given
    .replace('urn:', '')
    .replace('uuid:', '')
    .replace(/^[{}]+|[{}]+$/g, '')
    .replaceAll('-', '')
  return /^[0-9a-fA-F]{32}$/.test(digits) ? digits.toLowerCase() : null
}

function freeForm(given: string, { minLength, maxLength }: ClientIdRules): string | null {
  return given.length >= minLength && given.length <= maxLength ? given : null
}

/** The legacy name stands in where the usual one is missing. */
function readProject(headers: IncomingHttpHeaders): string {
  const project = header(headers, 'x-project-id') ?? header(headers, 'x-tenant-id')
  if (project === undefined) throw new Refusal(400, 'Project-Id Missing', 'The header X-PROJECT-ID was missing')
  if (project === '') {
    throw new Refusal(400, 'Empty project header not allowed', 'Empty project header not allowed: X-PROJECT-ID')
  }
  return project
}

/** As the client says: without authentication there is nobody else to ask. */
function readRoles(headers: IncomingHttpHeaders): string[] {
  const given = header(headers, 'x-roles')
  return given === undefined ? [] : given.split(',').map((role) => role.trim().toLowerCase())
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  return headers[name] as string | undefined
}
