import { defineOperation } from '../../execute.ts'
import type { JsonObject } from '../../model/model.ts'
import { withReservedDefaults } from '../../rules/reserved-attributes.ts'

/** The metadata with the reserved defaults; those alone when there is no such queue. */
export const getQueue = defineOperation({
  name: 'queues.get',
  permission: 'queues:get',
  failure: 'Queue metadata could not be retrieved',
  async run({ queue }: { readonly queue: string }, { kind, key, now, storage, limits }): Promise<JsonObject> {
    const found = await storage.queues.get({ key: key(queue), now })
    return withReservedDefaults(found?.metadata ?? {}, kind, limits)
  },
})
