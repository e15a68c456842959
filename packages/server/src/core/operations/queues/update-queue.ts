import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import type { JsonObject } from '../../model/model.ts'
import { applyChanges, type MetadataChange } from '../../rules/metadata-patch.ts'
import { metadataProblem, reservedDefaults, withReservedDefaults } from '../../rules/reserved-attributes.ts'

export interface UpdateQueueInput {
  readonly queue: string
  readonly changes: readonly MetadataChange[]
}

/** All changes or none. Answers the resulting metadata with the reserved defaults. */
export const updateQueue = defineOperation({
  name: 'queues.update',
  permission: 'queues:update',
  failure: 'Queue could not be updated',
  async run({ queue: name, changes }: UpdateQueueInput, ctx): Promise<JsonObject> {
    const { caller, kind, key, now, storage, limits } = ctx
    const updated = await ctx.queues.use(key(name), now, (queue) => {
      const metadata = applyChanges(queue.metadata, changes, reservedDefaults(kind, limits))
      const problem = metadataProblem(metadata, limits)
      if (problem !== null) throw new ZaqarError('patch.result_invalid', { problem })
      return storage.queues.update({ queue, metadata, now })
    })
    if (updated === null) throw new ZaqarError(`${kind}.not_found`, { queue: name, project: caller.project })
    return withReservedDefaults(updated.metadata, kind, limits)
  },
})
