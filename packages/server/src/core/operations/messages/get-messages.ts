import type { Instant, Message } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { checkIdCount } from '../../rules/limits.ts'

export interface GetMessagesInput {
  readonly queue: string
  readonly ids: readonly string[]
  /** When it does not say, it is an error that none of them exists. */
  readonly whenNoneExists?: 'fail' | 'show-none'
}

/** Those that exist, claimed and delayed ones and the caller's own included. */
export const getMessages = defineOperation({
  name: 'messages.get_many',
  permission: 'messages:get_all',
  failure: 'Messages could not be retrieved',
  async run(input: GetMessagesInput, { caller, key, now, storage, queues, limits }): Promise<FoundMessages> {
    const { queue: name, ids, whenNoneExists = 'fail' } = input
    checkIdCount(ids, limits.maxMessagesPerPage)
    const found = await queues.use(key(name), now, (queue) => storage.messages.get({ queue, ids, now }))
    const messages = found ?? []
    if (messages.length === 0 && whenNoneExists === 'fail') {
      throw new ZaqarError('messages.not_found', { ids: ids.join(','), queue: name, project: caller.project })
    }
    return { now, messages }
  },
})

export interface FoundMessages {
  readonly now: Instant
  readonly messages: readonly Message[]
}
