import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { applyChanges, type MetadataChange } from '../../rules/metadata-patch.ts'
import { checkMetadata, reservedDefaults, withReservedDefaults } from '../../rules/reserved-attributes.ts'

export interface UpdateQueueInput {
  readonly queue: string
  readonly changes: readonly MetadataChange[]
}

/** All changes or none. Answers the resulting metadata with the reserved defaults, as JSON text. */
export const updateQueue = defineOperation({
  name: 'queues.update',
  permission: 'queues:update',
  failure: 'Queue could not be updated',
  async run({ queue: name, changes }: UpdateQueueInput, ctx): Promise<string> {
    const { caller, kind, key, now, limits } = ctx
    const updated = await ctx.queues.change(key(name), now, (stored) => {
      const metadata = applyChanges(stored, changes, reservedDefaults(kind, limits))
      checkMetadata(metadata, limits, 'patch')
      return metadata
    })
    if (updated === null) throw new ZaqarError(`${kind}.not_found`, { queue: name, project: caller.project })
    return withReservedDefaults(updated, kind, limits)
  },
})
