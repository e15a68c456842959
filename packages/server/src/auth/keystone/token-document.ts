import { type Identity, NOBODY } from '../../core/identity.ts'
import { parseIsoTime } from '../../core/rules/iso-time.ts'
import type { Instant } from '../../model/model.ts'
import type { AccessRule } from './access-rules.ts'

/** What Keystone says of a token. */
export interface Token {
  readonly identity: Identity
  readonly expiresAt: Instant
  /** What an application credential is restricted to; null: to nothing. */
  readonly accessRules: readonly AccessRule[] | null
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
    readonly application_credential?: { readonly access_rules?: readonly AccessRule[] }
  }
}

/** The answer of `/v3/auth/tokens`. Null when it is none. */
export function readToken(text: string): Token | null {
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
    }),
    expiresAt,
    accessRules: token.application_credential?.access_rules ?? null,
    auditId: token.audit_ids?.[0] ?? null,
    length: text.length,
  }
}
