import { defineOperation } from '../../execute.ts'
import { queueKey } from '../keys.ts'

export const deleteQueue = defineOperation({
  name: 'queues.delete',
  failure: 'Queue could not be deleted',
  async run({ queue }: { readonly queue: string }, { caller, now, storage }): Promise<void> {
    await storage.queues.delete({ key: queueKey(caller, queue), now })
  },
})
