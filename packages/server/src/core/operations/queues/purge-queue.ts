import { defineOperation } from '../../execute.ts'

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
    const { now, storage } = ctx
    const key = ctx.key(queue)
    if (resources.includes('messages')) await storage.messages.purge({ key, now })
    if (resources.includes('subscriptions')) await storage.subscriptions.purge({ key, now })
  },
})
