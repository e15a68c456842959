import type { Claim, Instant, QueueKey } from '../model/model.ts'
import type { Storage } from '../storage/contract.ts'
import type { MessageTally } from './message-tally.ts'
import type { QueueDirectory } from './queue-directory.ts'
import type { ClaimTerms } from './rules/claim-terms.ts'

export interface FoundClaim {
  readonly now: Instant
  readonly claim: Claim
}

interface TakeTerms extends ClaimTerms {
  readonly key?: string | undefined
}

interface ClaimParts {
  readonly storage: Pick<Storage, 'claims'>
  readonly queues: QueueDirectory
  readonly tally: MessageTally
}

/** Null when there is nothing to claim. */
export async function takeClaim(
  key: QueueKey,
  terms: TakeTerms,
  now: Instant,
  { storage, queues, tally }: ClaimParts,
): Promise<FoundClaim | null> {
  const claim = await queues.use(key, now, (queue) => {
    const { deadLetter } = queue.settings
    return storage.claims.create({ queue, ...terms, deadLetter, now })
  })
  if (claim !== null) tally.countClaim(key, claim, now)
  return claim && { now, claim }
}
