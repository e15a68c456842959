import { defineOperation } from '../../execute.ts'
import { queueKey } from '../keys.ts'
import type { NamedClaim } from './get-claim.ts'

/** A claim that does not exist is no error. */
export const releaseClaim = defineOperation({
  name: 'claims.release',
  failure: 'Claim could not be deleted',
  async run({ queue: name, claimId }: NamedClaim, { caller, now, storage, queues }): Promise<void> {
    await queues.use(queueKey(caller, name), now, (queue) => storage.claims.release({ queue, claimId, now }))
  },
})
