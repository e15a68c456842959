import { BadRequest, Conflict, type Metadata, type SubscribeTerms } from 'zaqar-client/http'
import type { Named } from './import-state.ts'
import { remainingLife, wholeSeconds } from './message-terms.ts'
import type { Side } from './side.ts'

export interface SubscriptionTally {
  /** New at the destination, or there already. */
  brought: number
  /** What the destination does not take, with its reason. */
  readonly refused: string[]
}

/**
 * Brings the subscriptions of a queue or topic: with the time that they have left, confirmed where they are. One that is there
 * already stays as it is. @throws ZaqarError
 */
export async function importSubscriptions(
  named: Named,
  { source, destination, isDry, signal }: { source: Side; destination: Side; isDry: boolean; signal: AbortSignal },
): Promise<SubscriptionTally> {
  const tally: SubscriptionTally = { brought: 0, refused: [] }
  const target = destination.at(named)
  for await (const { subscriber, confirmed, ...shown } of source.at(named).subscriptions({ signal })) {
    const ttl = remainingLife({ ttl: wholeSeconds(shown.ttl), age: wholeSeconds(shown.age) })
    try {
      if (!isDry) await bring({ subscriber, ttl, options: withoutTrust(shown.options) }, confirmed)
      tally.brought += 1
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error
      tally.refused.push(`${subscriber}: ${error.message}`)
    }
  }
  return tally

  async function bring(terms: SubscribeTerms, isConfirmed: boolean): Promise<void> {
    try {
      const id = await target.addSubscription(terms, { signal })
      if (isConfirmed) await target.confirmSubscription(id, true, { signal })
    } catch (error) {
      // It is there, and confirmed.
      if (!(error instanceof Conflict)) throw error
    }
  }
}

/** The trust was made for the service of the source; that of the destination makes one of its own. */
function withoutTrust({ trust_id: _, ...options }: Metadata): Metadata {
  return options
}
