import { type ErrorCode, ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'

export interface DeleteMessageInput {
  readonly queue: string
  readonly id: string
  /** Of the claim that holds it. */
  readonly claimId?: string | undefined
}

const refusals = {
  held: 'message.held',
  'not-claimed': 'message.not_claimed',
  'claim-not-live': 'message.claim_not_live',
} as const satisfies Record<string, ErrorCode>

/** A message that does not exist is no error. */
export const deleteMessage = defineOperation({
  name: 'messages.delete',
  permission: 'messages:delete',
  failure: 'Message could not be deleted',
  async run({ queue: name, id, claimId }: DeleteMessageInput, ctx): Promise<void> {
    const { now, storage, queues, tally, pushes } = ctx
    const key = ctx.key(name)
    const outcome = await queues.use(key, now, (queue) =>
      storage.messages.delete({ queue, id, claimId: claimId ?? null, now }),
    )
    if (outcome !== null && outcome in refusals) throw new ZaqarError(refusals[outcome as keyof typeof refusals])
    if (outcome === 'deleted') tally.countDeleted(key, 1, now)
    pushes.held.deleted(key, id)
  },
})
