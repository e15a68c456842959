import type { Caller } from '../../core/execute.ts'
import type { Credentials } from './check.ts'

/** The attributes of a caller under the names that oslo.context gives them, older ones included. */
const attributes: Readonly<Record<string, (caller: Caller) => string | boolean | readonly string[] | null>> = {
  user_id: ({ userId }) => userId,
  user: ({ userId }) => userId,
  project_id: ({ project }) => project,
  project: ({ project }) => project,
  tenant_id: ({ project }) => project,
  tenant: ({ project }) => project,
  domain_id: ({ domainId }) => domainId,
  domain: ({ domainId }) => domainId,
  user_domain_id: ({ userDomainId }) => userDomainId,
  user_domain: ({ userDomainId }) => userDomainId,
  project_domain_id: ({ projectDomainId }) => projectDomainId,
  project_domain: ({ projectDomainId }) => projectDomainId,
  system_scope: ({ systemScope }) => systemScope,
  service_roles: ({ serviceRoles }) => serviceRoles,
  client_id: ({ clientId }) => clientId,
  // Of this server: whoever comes with a signed URL has no roles that a rule could ask for.
  signed_url: ({ scope }) => scope.signed !== null,
}

/** `isAdmin` is asked only where a rule wants to know. */
export function credentialsOf(caller: Caller, isAdmin: () => boolean): Credentials {
  return {
    roles: caller.roles,
    attribute(name) {
      if (name === 'is_admin') return asPython(isAdmin())
      return Object.hasOwn(attributes, name) ? asPython(attributes[name]?.(caller) ?? null) : undefined
    },
  }
}

function asPython(value: string | boolean | readonly string[] | null): string | readonly string[] {
  if (typeof value === 'string' || Array.isArray(value)) return value
  return value === null ? 'None' : value ? 'True' : 'False'
}
