import { createClaim } from '../../core/operations/claims/create-claim.ts'
import { altered } from '../older.ts'
import { claimDocs } from '../v2/claim-docs.ts'
import { ClaimTerms, readNewClaim } from '../v2/claims.ts'

/** `delete` is an addition of this service, which old versions need not have: they drop it as any field. */
export const claimsFinishedNothing = altered(createClaim, () => ({
  body: ClaimTerms,
  describe: claimDocs.take,
  decode: (request) => readNewClaim(request, ClaimTerms),
}))
