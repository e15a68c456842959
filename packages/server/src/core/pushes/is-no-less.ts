import type { Caller } from '../execute.ts'

/** Whether these credentials are of the same user, and good for all that those are good for. */
export function isNoLess(these: Caller, those: Caller): boolean {
  const { signed, accessRules } = these.scope
  return (
    these.project === those.project &&
    these.userId === those.userId &&
    those.roles.every((role) => these.roles.includes(role)) &&
    signed === null &&
    (accessRules === null || JSON.stringify(accessRules) === JSON.stringify(those.scope.accessRules))
  )
}
