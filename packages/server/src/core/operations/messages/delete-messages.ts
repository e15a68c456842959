import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { checkIdCount } from '../../rules/limits.ts'

export interface DeleteMessagesInput {
  readonly queue: string
  readonly ids: readonly string[]
  /** Claims that hold the messages; wanted when the house insists on it. */
  readonly claimIds?: readonly string[] | undefined
}

/** Deletes claimed messages too, unless the house wants to see their claims. Ids that name nothing are no error. */
export const deleteMessages = defineOperation({
  name: 'messages.delete_many',
  permission: 'messages:delete_all',
  failure: 'Messages could not be deleted',
  async run({ queue: name, ids, claimIds }: DeleteMessagesInput, ctx): Promise<void> {
    const { key, now, storage, queues, limits } = ctx
    checkIdCount(ids, limits.maxMessagesPerPage)
    const insist = limits.deleteNeedsClaimIds
    if (insist && !claimIds?.length) throw new ZaqarError('delete.claim_ids_missing')
    const outcome = await queues.use(key(name), now, (queue) =>
      storage.messages.deleteMany({ queue, ids, claimIds: insist ? (claimIds as readonly string[]) : null, now }),
    )
    if (outcome === 'held') throw new ZaqarError('messages.held_otherwise')
  },
})
