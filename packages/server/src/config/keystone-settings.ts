import type { KeystoneSettings } from '../auth/keystone/keystone-settings.ts'
import type { Config } from './options.ts'

/** What is left empty counts as not set. Certificates are read from their files. */
export function keystoneSettings(
  config: Config['keystone'],
  files: { readFile(path: string): string | null },
): KeystoneSettings {
  const { authType, defaultDomainId, defaultDomainName } = config
  const hasUserDomain = config.userDomainId || config.userDomainName
  const hasProjectDomain = config.projectDomainId || config.projectDomainName
  const read = (path: string | null): string | null => (path ? contentOf(path, files) : null)
  return {
    authUrl: config.authUrl ?? '',
    wwwAuthenticateUri: config.wwwAuthenticateUri || null,
    ca: read(config.cafile),
    cert: read(config.certfile),
    key: read(config.keyfile),
    insecure: config.insecure,
    timeoutSeconds: config.timeoutSeconds,
    retries: config.retries,
    cacheSeconds: config.cacheSeconds,
    serviceTokenRoles: config.serviceTokenRoles.map((role) => role.toLowerCase()),
    serviceTokenRolesRequired: config.serviceTokenRolesRequired,
    serviceType: config.serviceType,
    method: authType === 'v3applicationcredential' ? 'application_credential' : 'password',
    username: config.username || null,
    userId: config.userId || null,
    userDomainId: (hasUserDomain ? config.userDomainId : defaultDomainId) || null,
    userDomainName: (hasUserDomain ? config.userDomainName : defaultDomainName) || null,
    password: config.password?.reveal() ?? null,
    applicationCredentialId: config.applicationCredentialId || null,
    applicationCredentialName: config.applicationCredentialName || null,
    applicationCredentialSecret: config.applicationCredentialSecret?.reveal() ?? null,
    projectId: config.projectId || null,
    projectName: config.projectName || null,
    projectDomainId: (hasProjectDomain ? config.projectDomainId : defaultDomainId) || null,
    projectDomainName: (hasProjectDomain ? config.projectDomainName : defaultDomainName) || null,
    domainId: config.domainId || null,
    domainName: config.domainName || null,
    systemScope: config.systemScope || null,
  }
}

function contentOf(path: string, files: { readFile(path: string): string | null }): string {
  const content = files.readFile(path)
  if (content === null)
    throw Object.assign(new Error(`[keystone_authtoken]: there is no file ${path}`), { code: 'ENOENT' })
  return content
}
