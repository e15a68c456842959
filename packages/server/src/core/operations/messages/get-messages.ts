import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { Instant, Message } from '../../model/model.ts'
import { checkIdCount } from '../../rules/limits.ts'

export interface GetMessagesInput {
  readonly queue: string
  readonly ids: readonly string[]
}

/** Those that exist, claimed and delayed ones and the caller's own included. */
export const getMessages = defineOperation({
  name: 'messages.get_many',
  permission: 'messages:get_all',
  failure: 'Messages could not be retrieved',
  async run(
    { queue: name, ids }: GetMessagesInput,
    { caller, key, now, storage, queues, limits },
  ): Promise<FoundMessages> {
    checkIdCount(ids, limits.maxMessagesPerPage)
    const messages = await queues.use(key(name), now, (queue) => storage.messages.get({ queue, ids, now }))
    if (messages === null || messages.length === 0) {
      throw new ZaqarError('messages.not_found', { ids: ids.join(','), queue: name, project: caller.project })
    }
    return { now, messages }
  },
})

export interface FoundMessages {
  readonly now: Instant
  readonly messages: readonly Message[]
}
