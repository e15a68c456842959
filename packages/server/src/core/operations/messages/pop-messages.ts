import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { FoundMessages } from './get-messages.ts'

export interface PopMessagesInput {
  readonly queue: string
  readonly limit: number
}

/** Removes and answers the oldest visible unclaimed messages. */
export const popMessages = defineOperation({
  name: 'messages.pop',
  permission: 'messages:delete_all',
  failure: 'Messages could not be popped',
  async run(
    { queue: name, limit }: PopMessagesInput,
    { key, now, storage, queues, tally, limits },
  ): Promise<FoundMessages> {
    const max = limits.maxMessagesPerClaimOrPop
    if (limit < 1 || limit > max) throw new ZaqarError('pop.out_of_range', { max })
    const queueKey = key(name)
    const messages = await queues.use(queueKey, now, (queue) =>
      storage.messages.pop({ queue, limit, deadLetter: queue.settings.deadLetter, now }),
    )
    tally.countPopped(queueKey, messages?.length ?? 0, now)
    return { now, messages: messages ?? [] }
  },
})
