/** How Keystone is reached, and as whom. The fields are those of `[keystone_authtoken]`. */
export interface KeystoneSettings extends ServiceAccount {
  readonly authUrl: string
  /** Where callers without a token are sent; where it is not set, to `authUrl`. */
  readonly wwwAuthenticateUri: string | null
  /** Content of PEM files. */
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  readonly insecure: boolean
  /** For a whole request to Keystone. */
  readonly timeoutSeconds: number
  /** How often a request is repeated that Keystone did not answer. */
  readonly retries: number
  /** How long an answer about a token is believed; 0 or less: it is asked for each time. */
  readonly cacheSeconds: number
  readonly serviceTokenRoles: readonly string[]
  readonly serviceTokenRolesRequired: boolean
  /** As in the access rules of application credentials. */
  readonly serviceType: string
}

/** Whom the server itself is to Keystone. Names need the id or the name of a domain. */
export interface ServiceAccount {
  readonly method: 'password' | 'application_credential'
  readonly username: string | null
  readonly userId: string | null
  readonly userDomainId: string | null
  readonly userDomainName: string | null
  readonly password: string | null
  readonly applicationCredentialId: string | null
  readonly applicationCredentialName: string | null
  readonly applicationCredentialSecret: string | null
  readonly projectId: string | null
  readonly projectName: string | null
  readonly projectDomainId: string | null
  readonly projectDomainName: string | null
  readonly domainId: string | null
  readonly domainName: string | null
  readonly systemScope: string | null
}
