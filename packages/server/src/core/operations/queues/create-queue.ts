import { printJson } from '../../../model/json.ts'
import type { JsonObject } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { checkMetadata, flavorOf } from '../../rules/reserved-attributes.ts'

export interface CreateQueueInput {
  readonly queue: string
  /** Checked even when the queue exists, but then left unused. */
  readonly metadata: JsonObject
}

export const createQueue = defineOperation({
  name: 'queues.create',
  permission: 'queues:create',
  failure: 'Queue could not be created',
  async run({ queue, metadata }: CreateQueueInput, ctx): Promise<{ created: boolean }> {
    const { caller, key, now, queues, limits, storage } = ctx
    const text = printJson(metadata)
    checkMetadata(text, limits, 'metadata')
    const flavor = limits.hasPools ? flavorOf(text) : null
    if (flavor !== null && (await storage.pools.getFlavor({ project: caller.project, name: flavor })) === null)
      throw new ZaqarError('queue.unknown_flavor', { flavor })
    const { created } = await queues.create(key(queue), text, now)
    return { created }
  },
})
