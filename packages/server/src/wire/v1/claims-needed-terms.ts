import { createClaim } from '../../core/operations/claims/create-claim.ts'
import { renewClaim } from '../../core/operations/claims/renew-claim.ts'
import { LEAST_SECONDS } from '../../core/rules/limits.ts'
import { readFields, readObject } from '../body.ts'
import { all, altered, described } from '../older.ts'
import { withBody } from '../openapi/restate.ts'
import { Type } from '../typed-schema.ts'
import { claimTerms } from '../v2/claim-docs.ts'

const NewClaim = Type.Object({ ttl: Type.Integer(), grace: Type.Integer() })
const RenewedClaim = Type.Object({ ttl: Type.Integer(), grace: Type.Optional(Type.Integer()) })

/** Terms had no defaults, except that a renewed claim without a grace had none. (contract http.md 3.8) */
export const claimsNeededTerms = all(
  altered(createClaim, ({ decode }) => ({
    body: NewClaim,
    decode(request) {
      readFields(readObject(request.body), NewClaim)
      return decode(request)
    },
  })),
  described(createClaim, (newer, { limits }) => ({
    ...newer,
    body: { required: true, schema: { properties: claimTerms(limits, LEAST_SECONDS) } },
    examples: newer.examples.map(({ request, ...example }) => ({
      ...example,
      request: { ...request, body: request.body ?? { ttl: 300, grace: 60 } },
    })),
  })),
  altered(renewClaim, ({ decode }) => ({
    body: RenewedClaim,
    decode(request) {
      readFields(readObject(request.body), RenewedClaim)
      const renewal = decode(request)
      return { ...renewal, graceSeconds: renewal.graceSeconds ?? 0 }
    },
  })),
  described(renewClaim, (newer, { limits }) =>
    withBody(newer, () => {
      const { ttl, grace } = claimTerms(limits, 0)
      return { properties: { ttl, grace: { ...grace, default: 0 } } }
    }),
  ),
)
