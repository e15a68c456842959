import { type Authenticate, NOBODY, type ShownCredentials } from '../core/identity.ts'

/** Believes what the client says of itself: there is nobody else to ask. (contract auth-policy.md 2.1) */
export const trustHeaders: Authenticate = ({ headers }) => ({
  ...NOBODY,
  project: projectIn(headers),
  roles: rolesIn(headers['x-roles']),
  userId: textOf(headers['x-user-id']),
})

/** The legacy name stands in where the usual one is missing. */
export function projectIn(headers: ShownCredentials['headers']): string | null {
  return textOf(headers['x-project-id']) ?? textOf(headers['x-tenant-id'])
}

function rolesIn(header: string | string[] | undefined): string[] {
  return typeof header === 'string' ? header.split(',').map((role) => role.trim().toLowerCase()) : []
}

function textOf(header: string | string[] | undefined): string | null {
  return typeof header === 'string' ? header : null
}
