import { hash } from 'node:crypto'
import type { Instant } from '../../../model/model.ts'
import type { FinishedMessage } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { claimTerms, type WantedClaim } from '../../rules/claim-terms.ts'
import { checkWait } from '../../rules/limits.ts'
import { type FoundClaim, holderOf, takeClaim } from '../../take-claim.ts'

export interface CreateClaimInput extends WantedClaim {
  readonly queue: string
  /** How long to wait for something to claim. */
  readonly waitSeconds?: number | undefined
  /** Messages to delete in the same move, each with the claim that holds it. */
  readonly finished?: readonly FinishedMessage[] | undefined
  /** Makes a repetition harmless: the live claim that the same client made with the same key is answered again. */
  readonly idempotencyKey?: string | undefined
}

export interface CreatedClaim {
  /** Null when there was nothing to claim. */
  readonly found: FoundClaim | null
  /** Which of the finished messages were not there any more; null when the request did not say what is finished. */
  readonly gone: readonly string[] | null
}

/**
 * Claims messages, and deletes the finished ones in the same move, at once: a wait is only for something to claim. If
 * the claim that is given for a finished message does not hold it, nothing happens at all.
 */
export const createClaim = defineOperation({
  name: 'claims.create',
  permission: 'claims:create',
  failure: 'Claim could not be created',
  needs({ finished = [] }: CreateClaimInput, { path }) {
    const messages = path.replace(/claims$/, 'messages')
    return finished.map(({ id }) => ({
      permission: 'messages:delete',
      resource: { method: 'DELETE', path: `${messages}/${id}` },
    }))
  },
  async run(input, ctx): Promise<CreatedClaim> {
    const { caller, key, storage, queues, tally, limits, longPolls, pushes, signal } = ctx
    const requestKey = requestKeyOf(input, caller.clientId)
    const terms = { ...claimTerms(input, limits), clientId: holderOf(caller), key: requestKey }
    const { finished } = input
    if (finished !== undefined && finished.length > limits.maxMessagesPerPage) {
      throw new ZaqarError('claim.too_many_finished', { max: limits.maxMessagesPerPage })
    }
    const queueKey = key(input.queue)
    let gone: readonly string[] | null = null
    const finishAndTake = async (now: Instant, finished: readonly FinishedMessage[]) => {
      const exchanged = await queues.use(queueKey, now, (queue) => {
        const { deadLetter } = queue.settings
        return storage.claims.exchange({ queue, finished, ...terms, deadLetter, now })
      })
      if (exchanged !== null && 'kept' in exchanged) {
        throw new ZaqarError('messages.kept', { ids: exchanged.kept.join(', ') })
      }
      // What was in a queue has gone with it.
      const ids = new Set(finished.map(({ id }) => id))
      gone = exchanged?.gone ?? [...ids]
      tally.countDeleted(queueKey, ids.size - gone.length, now)
      for (const { id } of finished) pushes.held.deleted(queueKey, id)
      if (!exchanged?.claim) return null
      tally.countClaim(queueKey, exchanged.claim, now)
      return { now, claim: exchanged.claim }
    }
    const attempt = (now: Instant) =>
      finished === undefined || gone !== null
        ? takeClaim(queueKey, terms, now, { storage, queues, tally })
        : finishAndTake(now, finished)
    const waitTerms = { waitSeconds: checkWait(input.waitSeconds), signal }
    const found = await longPolls.take(queueKey, attempt, waitTerms, requestKey)
    return { found, gone }
  },
})

/**
 * Two workers may think of the same key, and nothing tells their requests apart as messages do those of a POST: they
 * must not both be given the same messages.
 */
function requestKeyOf({ idempotencyKey }: CreateClaimInput, clientId: string): string | undefined {
  if (idempotencyKey === undefined) return undefined
  return hash('sha256', JSON.stringify([clientId, idempotencyKey]), 'base64')
}
