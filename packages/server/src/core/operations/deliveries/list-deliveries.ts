import type { Instant } from '../../../model/model.ts'
import type { QueueHandle } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { type LoggedAttempt, readLogged } from '../../rules/attempts.ts'
import type { NamedSubscription } from '../subscriptions/get-subscription.ts'

/** What was tried lately for a subscription; the latest first. */
export const listDeliveries = defineOperation({
  name: 'subscriptions.deliveries',
  permission: 'subscription:get',
  failure: 'Deliveries could not be listed',
  async run({ queue, id }: NamedSubscription, { key, now, storage, queues, limits }): Promise<LoggedAttempt[]> {
    const read = (queue: QueueHandle) => storage.deliveries.log({ queue, id, now })
    const log = await queues.use(key(queue), now, read)
    if (log === null) throw new ZaqarError('subscription.not_found', { id })
    const oldest: Instant = now - limits.deliveryRecordSeconds * 1000
    return log
      .map(readLogged)
      .filter(({ at }) => at >= oldest)
      .reverse()
  },
})
