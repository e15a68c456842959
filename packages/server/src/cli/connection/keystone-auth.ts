import type { KeystoneAuth, Named } from 'zaqar-client/http'
import type { CloudSettings } from './cloud-settings.ts'
import { ConnectionError } from './connection-error.ts'

/**
 * Who asks, and where to look the service up. `project`: another one than the settings name.
 * @throws ConnectionError when something is missing, or cannot be had
 */
export function keystoneAuthOf(settings: CloudSettings, project?: string): KeystoneAuth {
  const { auth_url: authUrl, region_name: region } = settings
  if (!authUrl) throw missing('auth_url', 'the address of Keystone')
  if (settings['insecure'] === 'true' || settings['verify']?.toLowerCase() === 'false') {
    throw new ConnectionError('certificates are always verified: name the authority of Keystone in OS_CACERT (cacert)')
  }
  const place = { authUrl, ...(region && { region }), endpoint: endpointOf(settings) }
  return { ...place, ...identityOf(settings, project) }
}

function identityOf(settings: CloudSettings, project: string | undefined): Omit<KeystoneAuth, 'authUrl'> {
  const { token, password } = settings
  const type = settings['auth_type'] ?? inferredType(settings)
  const user = named(settings, 'user', settings['username'] ?? settings['user_name'])
  if (type.endsWith('applicationcredential')) {
    // It is for one project, which it knows: another one is an error.
    return { ...applicationCredentialOf(settings, user), ...(project && { project: projectOf(settings, project) }) }
  }
  const scope = { project: projectOf(settings, project) }
  if (type.endsWith('token')) {
    if (!token) throw missing('token', 'a token of Keystone')
    return { token, ...scope }
  }
  if (!type.endsWith('password')) {
    throw new ConnectionError(
      `auth_type ${type} is not known; allowed are password, v3applicationcredential, token and none`,
    )
  }
  if (user.id === undefined && user.name === undefined) throw missing('username', 'the name of the user')
  if (!password) throw missing('password', 'the password of the user')
  return { user, password, ...scope }
}

function inferredType(settings: CloudSettings): string {
  if (settings['application_credential_secret']) return 'v3applicationcredential'
  return settings['token'] ? 'token' : 'password'
}

function applicationCredentialOf(settings: CloudSettings, user: Named): Omit<KeystoneAuth, 'authUrl'> {
  const {
    application_credential_id: id,
    application_credential_name: name,
    application_credential_secret: secret,
  } = settings
  if (!secret) throw missing('application_credential_secret', 'the secret of the application credential')
  if (id) return { applicationCredential: { id, secret } }
  if (!name) throw missing('application_credential_id', 'the id of the application credential')
  if (user.id === undefined && user.name === undefined) throw missing('username', 'whose application credential it is')
  return { applicationCredential: { name, secret }, user }
}

function projectOf(settings: CloudSettings, given: string | undefined): Named {
  const id = settings['project_id'] ?? settings['tenant_id']
  const name = settings['project_name'] ?? settings['tenant_name']
  const own = named({ ...settings, project_id: id }, 'project', name)
  if (given === undefined) {
    if (own.id === undefined && own.name === undefined) throw missing('project_name', 'the project to work in')
    return own
  }
  const { id: _ownId, ...domains } = own
  return /^[0-9a-f]{32}$/.test(given) ? { id: given } : { ...domains, name: given }
}

function named(settings: CloudSettings, what: 'user' | 'project', name: string | undefined): Named {
  const id = settings[`${what}_id`]
  if (id) return { id }
  const domainId = settings[`${what}_domain_id`] ?? settings['domain_id'] ?? settings['default_domain_id']
  const domain = settings[`${what}_domain_name`] ?? settings['domain_name'] ?? settings['default_domain_name']
  const whose = domainId ? { domainId } : domain ? { domain } : {}
  return name ? { name, ...whose } : whose
}

function endpointOf(settings: CloudSettings): 'public' | 'internal' | 'admin' {
  const word = (settings['interface'] ?? settings['endpoint_type'] ?? 'public').replace(/URL$/, '')
  if (word === 'public' || word === 'internal' || word === 'admin') return word
  throw new ConnectionError(`interface ${word} is not known; allowed are public, internal and admin`)
}

function missing(key: string, meaning: string): ConnectionError {
  return new ConnectionError(`${meaning} is missing: set OS_${key.toUpperCase()}, or ${key} of the cloud`)
}
