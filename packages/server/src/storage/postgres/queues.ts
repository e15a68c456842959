import { passesFilters } from '../../model/members.ts'
import type { Instant, Queue, QueueKey } from '../../model/model.ts'
import { isStorable } from '../../model/text.ts'
import { type ListedQueue, QueueMoving, type QueueStore, type Stale } from '../contract.ts'
import { type Engine, onQueue, storableAfter } from './engine.ts'
import { type MessageRow, toMessages } from './rows.ts'

/** Queues that have the keys of a filter, in one part of a listing. */
const MOST_FILTERED = 500

type QueueRow = [name: string, metadata: string | null]
/** A part of a listing; `last`: up to where it goes, null at the end. */
type QueuePart = { queues: QueueRow[]; last: string | null }
type Fence = { role: 'leaving' | 'arriving'; token: string; until: Instant }
type StoredQueue = { metadata: string; version: number; fence?: Fence | null }
type Usage = { queues: number; messages: number; bytes: number }
type StatsRow = {
  incarnation: number
  free: number
  held: number
  delayed: number | null
  oldest: MessageRow | null
  newest: MessageRow | null
}

export function createQueueStore({ lanes, identifiers }: Engine): QueueStore {
  const write = lanes.write.bind(lanes)
  const read = lanes.read.bind(lanes)

  return {
    async create({ key, metadata, now }) {
      const parameters = { metadata, now }
      const stored = await lanes.write<StoredQueue & { created: boolean }>('create_queue', key, parameters)
      return { created: stored.created, queue: toServing(key, stored) }
    },

    async get({ key }) {
      const stored = await lanes.read<StoredQueue | null>('get_queue', key, {})
      return stored && toServing(key, stored)
    },

    update: ({ queue, metadata }) =>
      onQueue(
        write<{ version: number } | Stale>,
        { move: 'update_queue', queue, parameters: { metadata } },
        ({ version }) => toQueue(queue, { metadata, version }),
      ),

    delete: ({ queue }) =>
      onQueue(write<'deleted' | Stale>, { move: 'delete_queue', queue, parameters: {} }, () => 'deleted' as const),

    async list({ project, kind, after, limit, nameContains, metadata, withMetadata }) {
      if (nameContains !== null && !isStorable(nameContains)) return []
      const found: ListedQueue[] = []
      // The server leaves out what has not even the keys; whether the values fit is found here.
      const keys = metadata.map(({ key }) => `${JSON.stringify(key)}:`)
      const parameters = { project, kind, nameContains, keys, withMetadata: withMetadata || metadata.length > 0 }
      for (let from = storableAfter(after); ; ) {
        const wanted = metadata.length > 0 ? MOST_FILTERED : limit - found.length
        const part = await lanes.service<QueuePart>('list_queues', { ...parameters, after: from, limit: wanted })
        for (const [name, text] of part.queues) {
          if (passesFilters(text ?? '{}', metadata)) found.push({ name, metadata: withMetadata ? text : null })
          if (found.length === limit) return found
        }
        if (part.last === null) return found
        from = part.last
      }
    },

    count: ({ project, kind }) => lanes.service<number>('count_queues', { project, kind }),

    usage: ({ project }) => lanes.service<Usage>('project_usage', { project }),

    stats: ({ queue, countDelayed, now }) =>
      onQueue(read<StatsRow | Stale>, { move: 'queue_stats', queue, parameters: { countDelayed, now } }, (answer) => {
        const { incarnation, free, held, delayed, oldest, newest } = answer as StatsRow
        const shown = (row: MessageRow | null) => row && (toMessages([row], incarnation, identifiers)[0] ?? null)
        const counted = delayed === null ? {} : { delayed }
        return { free, claimed: held, ...counted, oldest: shown(oldest), newest: shown(newest) }
      }),
  }
}

/** @throws QueueMoving */
function toServing(key: QueueKey, stored: StoredQueue): Queue {
  if (stored.fence) throw new QueueMoving(stored.fence)
  return toQueue(key, stored)
}

function toQueue({ project, kind, name }: QueueKey, { metadata, version }: StoredQueue): Queue {
  return { project, kind, name, metadata, version: String(version) }
}
