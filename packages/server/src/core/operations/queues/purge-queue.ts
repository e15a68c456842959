import { defineOperation } from '../../execute.ts'
import { removeTrusted } from '../subscriptions/trusts.ts'

export const PURGEABLE = ['messages', 'subscriptions'] as const

export interface PurgeQueueInput {
  readonly queue: string
  readonly resources: readonly (typeof PURGEABLE)[number][]
}

export const purgeQueue = defineOperation({
  name: 'queues.purge',
  permission: 'queues:purge',
  failure: 'Queue could not be purged',
  async run({ queue, resources }: PurgeQueueInput, ctx): Promise<void> {
    const { now, storage, queues, pushes } = ctx
    const key = ctx.key(queue)
    for (const resource of resources) {
      const purge = () => queues.use(key, now, (queue) => storage[resource].purge({ queue, now }))
      await (resource === 'subscriptions' ? removeTrusted(key, null, purge, ctx) : purge())
      if (resource === 'messages') pushes.held.purged(key)
    }
  },
})
