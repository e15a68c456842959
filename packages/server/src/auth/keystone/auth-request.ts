import type { ServiceAccount } from './keystone-settings.ts'

/** The body of `POST /v3/auth/tokens` that gives the server its own token, or one for a trust that it was given. */
export function authRequest(account: ServiceAccount, trustId: string | null = null): object {
  if (account.method === 'application_credential') {
    // Its project is fixed; asking for a scope is refused.
    return { auth: { identity: { methods: ['application_credential'], application_credential: credential(account) } } }
  }
  const identity = { methods: ['password'], password: { user: { ...user(account), password: account.password } } }
  const scope = trustId === null ? scopeOf(account) : { 'OS-TRUST:trust': { id: trustId } }
  return { auth: { identity, ...(scope === null ? {} : { scope }) } }
}

function credential(account: ServiceAccount): object {
  const { applicationCredentialId: id, applicationCredentialName: name } = account
  const secret = account.applicationCredentialSecret
  return id !== null ? { id, secret } : { name, user: user(account), secret }
}

function user({ userId, username, userDomainId, userDomainName }: ServiceAccount): object {
  return userId !== null ? { id: userId } : { name: username, domain: domain(userDomainId, userDomainName) }
}

function scopeOf(account: ServiceAccount): object | null {
  const { projectId, projectName, domainId, domainName } = account
  if (account.systemScope !== null) return { system: { [account.systemScope]: true } }
  if (projectId !== null) return { project: { id: projectId } }
  if (projectName !== null) {
    return { project: { name: projectName, domain: domain(account.projectDomainId, account.projectDomainName) } }
  }
  return domainId !== null || domainName !== null ? { domain: domain(domainId, domainName) } : null
}

/** The domain that every Keystone begins with has the id `default`. */
function domain(id: string | null, name: string | null): object {
  if (id !== null) return { id }
  return name !== null ? { name } : { id: 'default' }
}
