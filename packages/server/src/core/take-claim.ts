import type { Claim, Instant, QueueKey } from '../model/model.ts'
import type { Storage } from '../storage/contract.ts'
import type { Caller } from './execute.ts'
import type { MessageTally } from './message-tally.ts'
import type { QueueDirectory } from './queue-directory.ts'
import type { ClaimTerms } from './rules/claim-terms.ts'

export interface FoundClaim {
  readonly now: Instant
  readonly claim: Claim
}

export interface TakeTerms extends ClaimTerms {
  /** Who claims. */
  readonly clientId?: string | undefined
  readonly key?: string | undefined
}

interface ClaimParts {
  readonly storage: Pick<Storage, 'claims'>
  readonly queues: QueueDirectory
  readonly tally: MessageTally
}

/** Who a claim is remembered for. Old clients need not say who they are. */
export function holderOf({ clientId }: Pick<Caller, 'clientId'>): string | undefined {
  return clientId === '' ? undefined : clientId
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
