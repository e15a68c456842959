import { STALE } from '../../../storage/contract.ts'
import { defineOperation } from '../../execute.ts'
import { printVault, readVault } from '../../rules/vault.ts'
import type { NamedSubscription } from './get-subscription.ts'

/** Notifications of the subscription are not signed any more. Where there is nothing to delete it is no error. */
export const deleteSecret = defineOperation({
  name: 'subscriptions.delete_secret',
  permission: 'subscription:update',
  failure: 'Secret could not be deleted',
  async run({ queue, id }: NamedSubscription, { key, now, storage, queues }): Promise<void> {
    await queues.use(key(queue), now, async (queue) => {
      const subscription = await storage.subscriptions.get({ queue, id, now })
      if (subscription === null || subscription === STALE) return subscription ?? 'absent'
      const vault = printVault({ ...readVault(subscription.vault), secrets: [] })
      return storage.subscriptions.update({ queue, id, vault, now })
    })
  },
})
