/** What needs the role `admin`; everything else is open to whoever was let in. (contract auth-policy.md 4) */
const ADMIN_RULES = new Set([
  'health:get',
  'pools:get_all',
  'pools:create',
  'pools:get',
  'pools:update',
  'pools:delete',
  'flavors:create',
  'flavors:update',
  'flavors:delete',
])

export function allowedByDefault(permission: string, { roles }: { readonly roles: readonly string[] }): boolean {
  return !ADMIN_RULES.has(permission) || roles.includes('admin')
}
