import { parseJson, printJson } from '../../core/model/json.ts'
import type { JsonObject, Queue, QueueKey } from '../../core/model/model.ts'
import { isStorable } from '../../core/model/text.ts'
import type { MetadataFilter, QueueStore, Stale } from '../contract.ts'
import { type Engine, onQueue, storableAfter } from './engine.ts'
import { type MessageRow, toMessages } from './rows.ts'

/** Queues that a listing with a filter on metadata reads in one round trip. */
const FILTERED_PAGE = 500

type QueueRow = [name: string, metadata: string, version: number]
type StoredQueue = { metadata: string; version: number }
type Usage = { queues: number; messages: number; bytes: number }
type StatsRow = { bucket: number; free: number; claimed: number; oldest: MessageRow | null; newest: MessageRow | null }

export function createQueueStore({ lanes, identifiers }: Engine): QueueStore {
  return {
    async create({ key, metadata, now }) {
      const parameters = { metadata: printJson(metadata), now }
      const stored = await lanes.write<StoredQueue & { created: boolean }>('create_queue', key, parameters)
      return { created: stored.created, queue: toQueue(key, stored) }
    },

    async get({ key }) {
      const stored = await lanes.read<StoredQueue | null>('get_queue', key, {})
      return stored && toQueue(key, stored)
    },

    update({ queue, metadata }) {
      const text = printJson(metadata)
      return onQueue(
        (move, key, parameters) => lanes.write<{ version: number } | Stale>(move, key, parameters),
        { move: 'update_queue', queue, parameters: { metadata: text } },
        ({ version }) => toQueue(queue, { metadata: text, version }),
      )
    },

    async delete({ key }) {
      await lanes.write('delete_queue', key, {})
    },

    async list({ project, kind, after, limit, nameContains, metadata }) {
      if (nameContains !== null && !isStorable(nameContains)) return []
      const found: Queue[] = []
      const wanted = metadata.length > 0 ? Math.max(limit, FILTERED_PAGE) : limit
      for (let from = storableAfter(after); ; ) {
        const page = await lanes.service<QueueRow[]>('list_queues', {
          project,
          kind,
          after: from,
          limit: wanted,
          nameContains,
        })
        for (const [name, text, version] of page) {
          from = name
          const queue = toQueue({ project, kind, name }, { metadata: text, version })
          if (metadata.every((filter) => passes(queue, filter))) found.push(queue)
          if (found.length === limit) return found
        }
        if (page.length < wanted) return found
      }
    },

    count: ({ project, kind }) => lanes.service<number>('count_queues', { project, kind }),

    usage: ({ project }) => lanes.service<Usage>('project_usage', { project }),

    async stats({ key, now }) {
      const stats = await lanes.read<StatsRow | false>('queue_stats', key, { now })
      if (stats === false) return null
      const shown = (row: MessageRow | null) => row && (toMessages([row], stats.bucket, identifiers)[0] ?? null)
      return { free: stats.free, claimed: stats.claimed, oldest: shown(stats.oldest), newest: shown(stats.newest) }
    },
  }
}

function toQueue({ project, kind, name }: QueueKey, { metadata, version }: StoredQueue): Queue {
  return { project, kind, name, metadata: parseJson(metadata) as JsonObject, version: String(version) }
}

function passes({ metadata }: Queue, { key, anyOf }: MetadataFilter): boolean {
  return Object.hasOwn(metadata, key) && anyOf.includes(metadata[key] as never)
}
