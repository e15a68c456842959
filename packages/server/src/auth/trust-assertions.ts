import { type Asserted, type Authenticate, NOBODY } from '../core/identity.ts'

const NOTHING: Asserted = { project: null, roles: [], userId: null }

/** Believes what callers say of themselves: there is nobody else to ask. (contract auth-policy.md 2.1) */
export const trustAssertions: Authenticate = ({ asserted: { project, roles, userId } = NOTHING }) => ({
  ...NOBODY,
  project,
  roles: roles.map((role) => role.toLowerCase()),
  userId,
})
