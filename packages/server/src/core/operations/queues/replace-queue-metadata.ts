import { printJson } from '../../../model/json.ts'
import type { JsonObject } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { checkMetadata } from '../../rules/reserved-attributes.ts'

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
    const { caller, key, now, queues, limits } = ctx
    const text = printJson(metadata)
    checkMetadata(text, limits, 'metadata')
    const replaced = await queues.change(key(name), now, () => text)
    if (replaced === null) {
      throw new ZaqarError('queue.not_found', { queue: name, project: caller.project })
    }
  },
})
