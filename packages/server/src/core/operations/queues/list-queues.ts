import type { MetadataFilter } from '../../../model/model.ts'
import { defineOperation } from '../../execute.ts'
import { pageSize } from '../../rules/limits.ts'
import { withReservedDefaults } from '../../rules/reserved-attributes.ts'

export interface ListQueuesInput {
  readonly marker?: string | undefined
  readonly limit?: number | undefined
  /** Only queues with this text in their names. */
  readonly nameContains?: string | undefined
  readonly metadata: readonly MetadataFilter[]
  readonly withMetadata: boolean
  readonly withCount: boolean
  /** Whether reserved attributes that are not set are shown with their defaults; they are when it does not say. */
  readonly showDefaults?: boolean
}

export interface ListedQueues {
  readonly limit: number
  /** With JSON text, or null where it was not asked for. */
  readonly queues: readonly { readonly name: string; readonly metadata: string | null }[]
  /** Of all queues of the project; null when it was not asked for. */
  readonly count: number | null
}

export const listQueues = defineOperation({
  name: 'queues.list',
  permission: 'queues:get_all',
  failure: 'Queues could not be listed',
  async run(input: ListQueuesInput, { caller, kind, now, storage, limits }): Promise<ListedQueues> {
    const limit = pageSize(input.limit, limits.maxQueuesPerPage)
    const scope = { project: caller.project, kind, now }
    const { marker: after = null, nameContains = null, metadata, withMetadata, withCount, showDefaults = true } = input
    const [queues, count] = await Promise.all([
      storage.queues.list({ ...scope, after, limit, nameContains, metadata, withMetadata }),
      withCount ? storage.queues.count(scope) : null,
    ])
    if (!showDefaults) return { limit, queues, count }
    const shown = queues.map(({ name, metadata }) => ({
      name,
      metadata: metadata && withReservedDefaults(metadata, kind, limits),
    }))
    return { limit, queues: shown, count }
  },
})
