import type { KeystoneSettings } from '../auth/keystone/keystone-settings.ts'
import type { Config } from './options.ts'

/**
 * How Keystone is reached as the trustee, where that is not as `keystone` says. Null where no trustee is configured.
 * What is left empty counts as not set.
 */
export function trusteeSettings(trustee: Config['trustee'], keystone: KeystoneSettings): KeystoneSettings | null {
  const { username, userId, userDomainId, userDomainName } = trustee
  if (!username && !userId) return null
  const hasDomain = userDomainId || userDomainName
  return {
    ...keystone,
    authUrl: trustee.authUrl || keystone.authUrl,
    method: 'password',
    username: username || null,
    userId: userId || null,
    userDomainId: (hasDomain ? userDomainId : trustee.defaultDomainId) || null,
    userDomainName: (hasDomain ? userDomainName : trustee.defaultDomainName) || null,
    password: trustee.password?.reveal() ?? null,
    projectId: null,
    projectName: null,
    domainId: null,
    domainName: null,
    systemScope: null,
  }
}
