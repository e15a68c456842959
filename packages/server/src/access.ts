import { isDeepStrictEqual } from 'node:util'
import { createAuthentication } from './auth/authenticate.ts'
import { createTokenAuthentication } from './auth/keystone/authenticate-by-token.ts'
import { CatalogueEndpoints } from './auth/keystone/catalogue-endpoints.ts'
import { createKeystoneApi, type KeystoneApi } from './auth/keystone/keystone-api.ts'
import { connectToKeystone, type KeystoneConnection } from './auth/keystone/keystone-connection.ts'
import { RareTroubles } from './auth/keystone/rare-troubles.ts'
import { TokenVerifier } from './auth/keystone/token-verifier.ts'
import { KeystoneTrusts } from './auth/keystone/trusts.ts'
import { openPolicy, type PolicyReports } from './auth/policy/policy.ts'
import type { PolicyFiles, PolicySettings } from './auth/policy/policy-source.ts'
import { trustAssertions } from './auth/trust-assertions.ts'
import { keystoneSettings } from './config/keystone-settings.ts'
import type { Config } from './config/options.ts'
import { trusteeSettings } from './config/trustee-settings.ts'
import type { Caller, OnTrouble } from './core/execute.ts'
import type { Authenticate } from './core/identity.ts'
import { endpointBase, type PublicEndpoints } from './core/rules/public-endpoints.ts'
import { createUrlSigner, type UrlSigner } from './core/rules/signature.ts'
import type { Trusts, TrustTokens } from './core/trusts.ts'
import type { Clock } from './platform/clock.ts'

/** Who calls, and what they may do. */
export interface Access {
  readonly authenticate: Authenticate
  /** Where callers get tokens; null where they need none. */
  readonly keystoneUrl: string | null
  /** What people sign in to the console through; null where there is no Keystone. */
  readonly keystone: KeystoneConnection | null
  /** As the rules are now: those of another policy come as another function. */
  readonly authorise: Authorise
  readonly urlSigner: UrlSigner | null
  /** Where subscribers reach the service, as configured or as Keystone says. @throws KeystoneUnavailable */
  publicEndpoints(): Promise<PublicEndpoints>
  /** Null where there is no Keystone, or no trustee is configured. */
  readonly trusts: (Trusts & TrustTokens) | null
  /**
   * `config` differs from the one before in options that reload.
   * @throws PolicyError, and all stays as it was
   */
  reconfigure(config: Config, folders: readonly string[]): void
  close(): Promise<void>
}

/** Whether the caller may do what needs that permission. */
type Authorise = (permission: string, caller: Caller) => boolean

export interface AccessParts {
  readonly config: Config
  /** Where relative paths of policy files are looked for. */
  readonly folders: readonly string[]
  readonly files: PolicyFiles
  readonly clock: Clock
  readonly reports: PolicyReports
  /** Policy files that must hold rules. */
  readonly neededPolicies?: readonly string[]
  readonly onTrouble: OnTrouble
  /** A key for signed URLs, where none is configured and nobody is kept out anyway. */
  installationKey(): string
}

/** @throws PolicyError */
export function openAccess(parts: AccessParts): Access {
  const { config, folders, files, clock, reports, onTrouble, neededPolicies: needed = [], installationKey } = parts
  const policyParts = { files, clock, reports }
  let settings: PolicySettings = { ...config.policy, places: folders }
  let policy = openPolicy(settings, { ...policyParts, needed })
  const signer = createSigner(config, installationKey)
  const keystone = config.auth.strategy === 'keystone' ? openKeystone(config, { files, clock, onTrouble }) : null
  return {
    authenticate: createAuthentication({ unsigned: keystone?.authenticate ?? trustAssertions, signer, clock }),
    keystoneUrl: keystone?.url ?? null,
    keystone: keystone?.forPeople ?? null,
    get authorise() {
      return policy.authorise
    },
    urlSigner: signer,
    publicEndpoints: publicEndpoints(config, keystone?.api ?? null, clock),
    trusts: keystone?.trusts ?? null,
    reconfigure(latest, places) {
      const latestSettings = { ...latest.policy, places }
      // Files that have changed are read again anyway, and those that were lost keep their rules.
      if (isDeepStrictEqual(settings, latestSettings)) return
      const next = openPolicy(latestSettings, policyParts)
      policy.close()
      policy = next
      settings = latestSettings
    },
    async close() {
      policy.close()
      await keystone?.trusts?.close()
      await keystone?.forPeople.close()
      await keystone?.api.close()
    },
  }
}

function createSigner({ auth, signedUrls }: Config, installationKey: () => string): UrlSigner | null {
  // An empty key would be one that everybody knows.
  const configured = signedUrls.secretKey?.reveal() || null
  const current = configured ?? (auth.strategy === '' ? installationKey() : null)
  if (current === null) return null
  return createUrlSigner([current, ...signedUrls.previousSecretKeys.map((key) => key.reveal())])
}

/** Whoever configures one of the addresses has said all: Keystone is not asked for the other. */
function publicEndpoints(
  { notification: { publicUrl, publicWebSocketUrl } }: Config,
  api: KeystoneApi | null,
  clock: Clock,
): () => Promise<PublicEndpoints> {
  if (api !== null && publicUrl === null && publicWebSocketUrl === null) {
    const catalogue = new CatalogueEndpoints(api, clock)
    return () => catalogue.get()
  }
  const base = (url: string | null) => url && endpointBase(url)
  const configured = { http: base(publicUrl), webSocket: base(publicWebSocketUrl) }
  return async () => configured
}

interface OpenKeystone {
  readonly authenticate: Authenticate
  readonly api: KeystoneApi
  readonly trusts: KeystoneTrusts | null
  /** Apart from the service's own: whoever signs in takes no connection from those that judge callers. */
  readonly forPeople: KeystoneConnection
  readonly url: string
}

function openKeystone(
  { keystone, trustee }: Config,
  { files, clock, onTrouble }: Pick<AccessParts, 'files' | 'clock' | 'onTrouble'>,
): OpenKeystone {
  const settings = keystoneSettings(keystone, files)
  const api = createKeystoneApi(settings)
  const verifier = new TokenVerifier({ api, clock, cacheSeconds: settings.cacheSeconds })
  const rules = {
    serviceRoles: settings.serviceTokenRoles,
    serviceRolesRequired: settings.serviceTokenRolesRequired,
  }
  const authenticate = createTokenAuthentication(verifier, rules, new RareTroubles(clock))
  const asTrustee = trusteeSettings(trustee, settings)
  const allowedHosts = trustee.allowedHosts.map((host) => host.toLowerCase())
  const trusts = asTrustee && new KeystoneTrusts({ settings: asTrustee, allowedHosts, clock, onTrouble })
  const forPeople = connectToKeystone(settings)
  return { authenticate, api, trusts, forPeople, url: settings.wwwAuthenticateUri ?? settings.authUrl }
}
