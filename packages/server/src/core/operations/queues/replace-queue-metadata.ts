import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { JsonObject } from '../../model/model.ts'
import { metadataProblem } from '../../rules/reserved-attributes.ts'

export interface ReplaceQueueMetadataInput {
  readonly queue: string
  readonly metadata: JsonObject
}

/** What the metadata held before is gone, reserved attributes included. */
export const replaceQueueMetadata = defineOperation({
  name: 'queues.replace_metadata',
  permission: 'queues:update',
  failure: 'Metadata could not be updated',
  async run({ queue: name, metadata }: ReplaceQueueMetadataInput, ctx): Promise<void> {
    const { caller, key, now, storage, queues, limits } = ctx
    const problem = metadataProblem(metadata, limits)
    if (problem !== null) throw new ZaqarError('metadata.invalid', { problem })
    const replaced = await queues.use(key(name), now, (queue) => storage.queues.update({ queue, metadata, now }))
    if (replaced === null) {
      throw new ZaqarError('queue.not_found', { queue: name, project: caller.project })
    }
  },
})
