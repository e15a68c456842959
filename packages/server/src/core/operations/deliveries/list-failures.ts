import type { Failure } from '../../../model/model.ts'
import type { QueueHandle } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { pageSize } from '../../rules/limits.ts'
import type { NamedSubscription } from '../subscriptions/get-subscription.ts'

export interface ListFailuresInput extends NamedSubscription {
  readonly marker?: string | undefined
  readonly limit?: number | undefined
}

/** What a subscription was told of in vain, to the last retry; what failed first is first. */
export const listFailures = defineOperation({
  name: 'subscriptions.failures',
  permission: 'subscription:get',
  failure: 'Failures could not be listed',
  async run(
    { queue, id, marker, limit: asked }: ListFailuresInput,
    { key, now, storage, queues, limits },
  ): Promise<{ failures: readonly Failure[]; marker: string | null }> {
    const limit = pageSize(asked, limits.maxMessagesPerPage)
    const list = (queue: QueueHandle) => storage.deliveries.failures({ queue, id, after: marker ?? null, limit, now })
    const page = await queues.use(key(queue), now, list)
    if (page === null) throw new ZaqarError('subscription.not_found', { id })
    return page
  },
})
