import { Type } from 'typebox'
import { createClaim } from '../../core/operations/claims/create-claim.ts'
import { renewClaim } from '../../core/operations/claims/renew-claim.ts'
import { readFields, readObject } from '../body.ts'
import { all, altered } from '../older.ts'

const NewClaim = Type.Object({ ttl: Type.Integer(), grace: Type.Integer() })
const RenewedClaim = Type.Object({ ttl: Type.Integer() })

/** The house had no default for them, but for the grace of a claim that is renewed: none. (contract http.md 3.8) */
export const claimsNeededTerms = all(
  altered(createClaim, ({ decode }) => ({
    decode(request) {
      readFields(readObject(request.body), NewClaim)
      return decode(request)
    },
  })),
  altered(renewClaim, ({ decode }) => ({
    decode(request) {
      readFields(readObject(request.body), RenewedClaim)
      const renewal = decode(request)
      return { ...renewal, graceSeconds: renewal.graceSeconds ?? 0 }
    },
  })),
)
