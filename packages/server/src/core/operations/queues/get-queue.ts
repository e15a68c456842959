import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { withReservedDefaults } from '../../rules/reserved-attributes.ts'

export interface GetQueueInput {
  readonly queue: string
  /** Whether reserved attributes that are not set are shown with their defaults; they are when it does not say. */
  readonly showDefaults?: boolean
  /** A missing queue is shown like one without metadata when it does not say. */
  readonly whenMissing?: 'show-empty' | 'fail'
}

/** The metadata, as JSON text. */
export const getQueue = defineOperation({
  name: 'queues.get',
  permission: 'queues:get',
  failure: 'Queue metadata could not be retrieved',
  async run(input: GetQueueInput, { caller, kind, key, now, storage, limits }): Promise<string> {
    const { queue, showDefaults = true, whenMissing = 'show-empty' } = input
    const found = await storage.queues.get({ key: key(queue), now })
    if (found === null && whenMissing === 'fail') {
      throw new ZaqarError('queue.not_found', { queue, project: caller.project })
    }
    const metadata = found?.metadata ?? '{}'
    return showDefaults ? withReservedDefaults(metadata, kind, limits) : metadata
  },
})
