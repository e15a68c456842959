import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { checkIdCount } from '../../rules/limits.ts'

export interface DeleteMessagesInput {
  readonly queue: string
  readonly ids: readonly string[]
  /** Claims that hold the messages; wanted when the house insists on it. */
  readonly claimIds?: readonly string[] | undefined
  /** Whether claims are wanted; as the house has it when it does not say. */
  readonly needsClaimIds?: boolean
}

/** Deletes claimed messages too, unless the house wants to see their claims. Ids that name nothing are no error. */
export const deleteMessages = defineOperation({
  name: 'messages.delete_many',
  permission: 'messages:delete_all',
  failure: 'Messages could not be deleted',
  async run(input: DeleteMessagesInput, ctx): Promise<void> {
    const { now, storage, queues, limits, tally, pushes } = ctx
    const { queue: name, ids, claimIds, needsClaimIds: insist = limits.deleteNeedsClaimIds } = input
    checkIdCount(ids, limits.maxMessagesPerPage)
    if (insist && !claimIds?.length) throw new ZaqarError('delete.claim_ids_missing')
    const key = ctx.key(name)
    const outcome = await queues.use(key, now, (queue) =>
      storage.messages.deleteMany({ queue, ids, claimIds: insist ? (claimIds as readonly string[]) : null, now }),
    )
    if (outcome === 'held') throw new ZaqarError('messages.held_otherwise')
    tally.countDeleted(key, outcome?.deleted ?? 0, now)
    for (const id of ids) pushes.held.deleted(key, id)
  },
})
