import type { Config } from './options.ts'

const PASSWORD = ['password', 'v3password']
const APPLICATION_CREDENTIAL = ['v3applicationcredential']

/**
 * What is missing in `[keystone_authtoken]`, or cannot be had. `label` names an option and where it was set.
 * Options whose own values were refused are absent.
 */
export function keystoneProblems(keystone: Partial<Config['keystone']>, label: (name: string) => string): string[] {
  const { authUrl, authType, systemScope, delayAuthDecision } = keystone
  const problems: string[] = []
  if (!authUrl) problems.push(`${label('auth_url')}: the address of Keystone is missing`)
  else if (!isHttp(authUrl)) problems.push(`${label('auth_url')}: ${noAddress(authUrl)}`)
  if (delayAuthDecision === true) {
    problems.push(
      `${label('delay_auth_decision')}: requests without a valid token would pass, and nothing behind would stop them`,
    )
  }
  if (systemScope && systemScope !== 'all') problems.push(`${label('system_scope')}: allowed is all`)
  if (authType && PASSWORD.includes(authType)) return [...problems, ...passwordProblems(keystone, label)]
  if (authType && APPLICATION_CREDENTIAL.includes(authType))
    return [...problems, ...credentialProblems(keystone, label)]
  const allowed = `allowed is ${[...PASSWORD, ...APPLICATION_CREDENTIAL].join(' or ')}`
  return [...problems, `${label('auth_type')}: ${authType ? `"${authType}" was given` : 'it is missing'}, ${allowed}`]
}

/** What is missing in `[trustee]` where one is configured, or cannot be had. */
export function trusteeProblems(trustee: Partial<Config['trustee']>, label: (name: string) => string): string[] {
  const { authType, authUrl, username, userId, password } = trustee
  if (!username && !userId) return []
  const problems: string[] = []
  if (authUrl && !isHttp(authUrl)) problems.push(`${label('auth_url')}: ${noAddress(authUrl)}`)
  if (!password) problems.push(`${label('password')}: the password of the trustee is missing`)
  if (authType && !PASSWORD.includes(authType)) {
    problems.push(`${label('auth_type')}: "${authType}" was given, allowed is ${PASSWORD.join(' or ')}`)
  }
  return problems
}

function isHttp(url: string): boolean {
  return /^https?:$/.test(URL.parse(url)?.protocol ?? '')
}

function noAddress(url: string): string {
  return `"${url}" is no address that begins with http:// or https://`
}

function passwordProblems(
  { username, userId, password }: Partial<Config['keystone']>,
  label: (name: string) => string,
) {
  return [
    ...(username || userId ? [] : [`${label('username')}: the name of the service user is missing, and so is user_id`]),
    ...(password ? [] : [`${label('password')}: the password of the service user is missing`]),
  ]
}

function credentialProblems(keystone: Partial<Config['keystone']>, label: (name: string) => string) {
  const { applicationCredentialId: id, applicationCredentialName: name, applicationCredentialSecret: secret } = keystone
  const isNamed = id || (name && (keystone.username || keystone.userId))
  return [
    ...(isNamed
      ? []
      : [`${label('application_credential_id')}: it is missing, and so is application_credential_name with a user`]),
    ...(secret ? [] : [`${label('application_credential_secret')}: it is missing`]),
  ]
}
