import { defineOperation } from '../../execute.ts'

export const deleteQueue = defineOperation({
  name: 'queues.delete',
  permission: 'queues:delete',
  failure: 'Queue could not be deleted',
  async run({ queue }: { readonly queue: string }, { key, now, storage, queues }): Promise<void> {
    await queues.use(key(queue), now, (queue) => storage.queues.delete({ queue, now }))
  },
})
