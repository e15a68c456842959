/** The rules that hold where no policy file says otherwise. (contract auth-policy.md 4) */

/** `upstream` lets everybody of a project do everything; `personas` tells reader, member and admin apart. */
const DEFAULT_SETS = ['upstream', 'personas'] as const
export type DefaultSet = (typeof DEFAULT_SETS)[number]

export interface DefaultRule {
  readonly name: string
  /** In the policy language. */
  readonly rule: string
}

const EVERYBODY = ''
const ADMIN = 'role:admin'
const READER = 'rule:persona_reader'
const MEMBER = 'rule:persona_member'

/** Rules that guard nothing by themselves. */
const helpers: readonly DefaultRule[] = [
  { name: 'context_is_admin', rule: ADMIN },
  { name: 'admin_or_owner', rule: 'is_admin:True or project_id:%(project_id)s' },
]

/** Whoever may do more may do less. The holder of a signed URL has no roles; what was signed bounds it. */
const personas: readonly DefaultRule[] = [
  { name: 'persona_reader', rule: 'role:reader or role:member or role:admin or signed_url:True' },
  { name: 'persona_member', rule: 'role:member or role:admin or signed_url:True' },
]

/** Each operation with its rule in both sets. */
const operations: readonly (readonly [name: string, upstream: string, persona: string])[] = [
  ['queues:get_all', EVERYBODY, READER],
  ['queues:create', EVERYBODY, MEMBER],
  ['queues:get', EVERYBODY, READER],
  ['queues:delete', EVERYBODY, MEMBER],
  ['queues:update', EVERYBODY, MEMBER],
  ['queues:stats', EVERYBODY, READER],
  ['queues:share', EVERYBODY, MEMBER],
  ['queues:purge', EVERYBODY, MEMBER],
  ['messages:get_all', EVERYBODY, READER],
  ['messages:create', EVERYBODY, MEMBER],
  ['messages:get', EVERYBODY, READER],
  ['messages:delete', EVERYBODY, MEMBER],
  ['messages:delete_all', EVERYBODY, MEMBER],
  // An addition of this server.
  ['messages:redrive', EVERYBODY, MEMBER],
  ['claims:create', EVERYBODY, MEMBER],
  ['claims:get', EVERYBODY, READER],
  // An addition of this server: a house that keeps claims from some does not have them listed to those.
  ['claims:get_all', 'rule:claims:get', 'rule:claims:get'],
  ['claims:update', EVERYBODY, MEMBER],
  ['claims:delete', EVERYBODY, MEMBER],
  ['subscription:get_all', EVERYBODY, READER],
  ['subscription:create', EVERYBODY, MEMBER],
  ['subscription:get', EVERYBODY, READER],
  ['subscription:update', EVERYBODY, MEMBER],
  ['subscription:delete', EVERYBODY, MEMBER],
  ['subscription:confirm', EVERYBODY, MEMBER],
  ['topics:get_all', EVERYBODY, READER],
  ['topics:create', EVERYBODY, MEMBER],
  ['topics:get', EVERYBODY, READER],
  ['topics:update', EVERYBODY, MEMBER],
  ['topics:delete', EVERYBODY, MEMBER],
  ['topics:stats', EVERYBODY, READER],
  ['topics:purge', EVERYBODY, MEMBER],
  ['ping:get', EVERYBODY, EVERYBODY],
  // An addition of this server.
  ['permissions:get', EVERYBODY, EVERYBODY],
  ['health:get', ADMIN, ADMIN],
  // An addition of this server.
  ['metrics:get', ADMIN, ADMIN],
  ['pools:get_all', ADMIN, ADMIN],
  ['pools:create', ADMIN, ADMIN],
  ['pools:get', ADMIN, ADMIN],
  ['pools:update', ADMIN, ADMIN],
  ['pools:delete', ADMIN, ADMIN],
  // Additions of this server.
  ['pools:drain', ADMIN, ADMIN],
  ['pools:rebalance', ADMIN, ADMIN],
  ['flavors:get_all', EVERYBODY, READER],
  ['flavors:create', ADMIN, ADMIN],
  ['flavors:get', EVERYBODY, READER],
  ['flavors:update', ADMIN, ADMIN],
  ['flavors:delete', ADMIN, ADMIN],
]

/** The rules that guard operations. */
export const OPERATION_RULES: readonly string[] = operations.map(([name]) => name)

export function defaultRules(set: DefaultSet): readonly DefaultRule[] {
  const guards = operations.map(([name, upstream, persona]) => ({
    name,
    rule: set === 'upstream' ? upstream : persona,
  }))
  return set === 'upstream' ? [...helpers, ...guards] : [...helpers, ...personas, ...guards]
}
