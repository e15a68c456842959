import { defineOperation } from '../../execute.ts'

export const queueExists = defineOperation({
  name: 'queues.exists',
  permission: 'queues:get',
  failure: 'Queue could not be looked up',
  async run({ queue }: { readonly queue: string }, { key, now, storage }): Promise<boolean> {
    return (await storage.queues.get({ key: key(queue), now })) !== null
  },
})
