import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { JsonObject } from '../../model/model.ts'
import { metadataProblem } from '../../rules/reserved-attributes.ts'

export interface CreateQueueInput {
  readonly queue: string
  /** Checked even when the queue exists, but then left unused. */
  readonly metadata: JsonObject
}

export const createQueue = defineOperation({
  name: 'queues.create',
  permission: 'queues:create',
  failure: 'Queue could not be created',
  async run({ queue, metadata }: CreateQueueInput, { key, now, queues, limits }): Promise<{ created: boolean }> {
    const problem = metadataProblem(metadata, limits)
    if (problem !== null) throw new ZaqarError('metadata.invalid', { problem })
    const { created } = await queues.create(key(queue), metadata, now)
    return { created }
  },
})
