import type { Instant, Message } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'

export interface GetMessageInput {
  readonly queue: string
  readonly id: string
}

export const getMessage = defineOperation({
  name: 'messages.get',
  permission: 'messages:get',
  failure: 'Message could not be retrieved',
  async run(
    { queue: name, id }: GetMessageInput,
    { caller, key, now, storage, queues },
  ): Promise<{ now: Instant; message: Message }> {
    const found = await queues.use(key(name), now, (queue) => storage.messages.get({ queue, ids: [id], now }))
    const message = found?.[0]
    if (message === undefined) throw new ZaqarError('message.not_found', { id, queue: name, project: caller.project })
    return { now, message }
  },
})
