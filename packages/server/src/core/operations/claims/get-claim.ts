import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { FoundClaim } from '../../take-claim.ts'

export interface NamedClaim {
  readonly queue: string
  readonly claimId: string
}

export const getClaim = defineOperation({
  name: 'claims.get',
  permission: 'claims:get',
  failure: 'Claim could not be queried',
  async run({ queue: name, claimId }: NamedClaim, { caller, key, now, storage, queues }): Promise<FoundClaim> {
    const claim = await queues.use(key(name), now, (queue) => storage.claims.get({ queue, claimId, now }))
    if (claim === null) throw new ZaqarError('claim.not_found', { id: claimId, queue: name, project: caller.project })
    return { now, claim }
  },
})
