import { defineOperation } from '../../execute.ts'
import { removeTrusted } from '../subscriptions/trusts.ts'

export const deleteQueue = defineOperation({
  name: 'queues.delete',
  permission: 'queues:delete',
  failure: 'Queue could not be deleted',
  async run({ queue }: { readonly queue: string }, ctx): Promise<void> {
    const { now, storage, queues, pushes } = ctx
    const key = ctx.key(queue)
    const remove = () => queues.use(key, now, (queue) => storage.queues.delete({ queue, now }))
    await removeTrusted(key, null, remove, ctx)
    pushes.held.purged(key)
  },
})
