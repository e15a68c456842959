import type { Instant } from '../../../model/model.ts'
import { STALE } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { printVault, readVault } from '../../rules/vault.ts'
import type { NamedSubscription } from './get-subscription.ts'

export interface MadeSecret {
  /** Base64. Nobody is told it a second time. */
  readonly key: string
  /** Until when notifications are signed with the one before as well; null: there was none. */
  readonly previousUntil: Instant | null
}

/** How long a receiver has to learn the new secret. */
const OVERLAP_MS = 86_400_000

/** Makes the secret with which notifications of the subscription are signed from now on. */
export const makeSecret = defineOperation({
  name: 'subscriptions.make_secret',
  permission: 'subscription:update',
  failure: 'Secret could not be made',
  async run({ queue, id }: NamedSubscription, { key: keyOf, now, ids, storage, queues }): Promise<MadeSecret> {
    const secret = ids.randomKey()
    const previousUntil = now + OVERLAP_MS
    const made = await queues.use(keyOf(queue), now, async (queue) => {
      const subscription = await storage.subscriptions.get({ queue, id, now })
      if (subscription === null || subscription === STALE) return subscription ?? 'absent'
      const vault = readVault(subscription.vault)
      const [previous] = vault.secrets
      const secrets = [
        { key: secret, until: null },
        ...(previous === undefined ? [] : [{ ...previous, until: previousUntil }]),
      ]
      const updated = await storage.subscriptions.update({
        queue,
        id,
        vault: printVault({ ...vault, secrets }),
        now,
      })
      return updated === 'updated' ? { hadSecret: previous !== undefined } : updated
    })
    if (made === null || typeof made === 'string') throw new ZaqarError('subscription.not_found', { id })
    return { key: secret, previousUntil: made.hadSecret ? previousUntil : null }
  },
})
