import { type Identity, NOBODY } from '../../core/identity.ts'
import type { AccessRule } from '../../core/rules/access-rules.ts'
import { parseIsoTime } from '../../core/rules/iso-time.ts'
import { EVERYTHING, type Scope } from '../../core/rules/scope.ts'
import type { Instant } from '../../model/model.ts'

/** What Keystone says of a token. */
export interface Token {
  readonly identity: Identity & { readonly expiresAt: Instant }
  /** The same for all spellings of the token, and for no other token; null where Keystone names none. */
  readonly auditId: string | null
  /** Of what Keystone says, in characters. */
  readonly length: number
}

interface Named {
  readonly id?: string
  readonly domain?: Named
}

interface Document {
  readonly token?: {
    readonly expires_at?: string
    /** Of the token itself, then of the first one that it was made from. */
    readonly audit_ids?: readonly string[]
    readonly user?: Named
    readonly project?: Named
    readonly domain?: Named
    readonly system?: { readonly all?: boolean }
    readonly roles?: readonly { readonly name: string }[]
    readonly application_credential?: { readonly access_rules?: readonly DocumentedRule[] | null }
  }
}

/** `service`: the type of the service that it is for. */
type DocumentedRule = AccessRule & { readonly service: string }

/**
 * The answer of `/v3/auth/tokens`. Null when it is none. `serviceType`: that of this service, whose access rules count.
 */
export function readToken(text: string, serviceType: string): Token | null {
  let document: Document | null
  try {
    document = JSON.parse(text) as Document | null
  } catch {
    return null
  }
  const token = document?.token
  const expiresAt = parseIsoTime(token?.expires_at ?? '')
  if (token?.user?.id === undefined || expiresAt === null) return null
  const { user, project, domain, system, roles = [] } = token
  return {
    identity: Object.freeze({
      ...NOBODY,
      project: project?.id ?? null,
      roles: roles.map(({ name }) => name.toLowerCase()),
      userId: user.id ?? null,
      domainId: domain?.id ?? null,
      userDomainId: user.domain?.id ?? null,
      projectDomainId: project?.domain?.id ?? null,
      systemScope: system?.all === true ? 'all' : null,
      scope: scopeOf(token.application_credential?.access_rules ?? null, serviceType),
      expiresAt,
    }),
    auditId: token.audit_ids?.[0] ?? null,
    length: text.length,
  }
}

/** Null: no rules restrict the token. */
function scopeOf(rules: readonly DocumentedRule[] | null, serviceType: string): Scope {
  if (rules === null) return EVERYTHING
  const own = rules.filter(({ service }) => service === serviceType)
  return { ...EVERYTHING, accessRules: own.map(({ method, path }) => ({ method, path })) }
}
