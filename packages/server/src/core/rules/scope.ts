/** What credentials are good for, whoever shows them and whatever carries them. */
import { type AccessRule, rulesCover } from './access-rules.ts'
import { type SignedScope, signatureCovers } from './signature.ts'

/** What a call is for. Signed URLs and access rules name it as the HTTP API does, so every transport does. */
export interface Resource {
  /** As written. */
  readonly method: string
  /**
   * With the prefix of the version, decoded, without the query: `/v2/queues/orders/messages`. It may be made from
   * names as they come: operations refuse one that holds a slash, which would lead elsewhere.
   */
  readonly path: string
}

/** Null does not restrict; where both do, both must cover. */
export interface Scope {
  /** What a signed URL is good for; null for everybody who calls in their own name. */
  readonly signed: SignedScope | null
  /** What an application credential is good for. */
  readonly accessRules: readonly AccessRule[] | null
}

export const EVERYTHING: Scope = Object.freeze({ signed: null, accessRules: null })

export function covers({ signed, accessRules }: Scope, { method, path }: Resource): boolean {
  return (
    (signed === null || signatureCovers(signed, method, path)) &&
    (accessRules === null || rulesCover(accessRules, method, path))
  )
}
