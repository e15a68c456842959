import { parseJson, printJson } from '../../core/model/json.ts'
import type { JsonObject, MetadataFilter, Queue, QueueKey } from '../../core/model/model.ts'
import { type ProjectUsage, type QueueStore, STALE } from '../contract.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import { UNFINISHED } from './turns.ts'

/** Queues that a filtered listing looks at in one turn. */
const LOOKS_PER_TURN = 500

interface ListedRow {
  id: number
  name: string
  revision: number
  metadata: string
}

export function createQueueStore(engine: Engine): QueueStore {
  const { db, turns, states, numbers, rows, settling, announce } = engine
  const page = limited(
    db,
    `SELECT id, name, revision, metadata FROM queues
     WHERE project = ? AND kind = ? AND name > ? ORDER BY name`,
  )
  const usage = db.prepare(
    `SELECT count(*) AS queues, ifnull(sum(free + claimed), 0) AS messages,
       ifnull(sum(bytes), 0) AS bytes
     FROM queues WHERE project = ?`,
  )
  const count = db.prepare('SELECT count(*) AS count FROM queues WHERE project = ? AND kind = ?')

  function existing(key: QueueKey): Queue | null {
    return states.find(key)?.queue ?? null
  }

  return {
    create: ({ key, metadata }) =>
      turns.submit(() => {
        const known = existing(key)
        if (known !== null) return { created: false, queue: known }
        return { created: true, queue: states.create(key, printJson(metadata)).queue }
      }),

    get: ({ key }) => turns.submit(() => existing(key)),

    update: ({ queue, metadata }) =>
      turns.submit(() => {
        const state = states.open(queue)
        if (state === STALE) return STALE
        const updated = states.updateSettings(state, printJson(metadata))
        announce(updated)
        return updated.queue
      }),

    delete: ({ key }) =>
      turns.submit(() => {
        const state = states.find(key)
        if (state !== null) states.delete(state)
      }),

    list({ project, kind, after, limit, nameContains, metadata }) {
      const found: Queue[] = []
      let from = after ?? ''
      return turns.submit(() => {
        const filtered = nameContains !== null || metadata.length > 0
        for (let looks = 0; looks < LOOKS_PER_TURN; ) {
          const wanted = filtered ? Math.max(limit, 100) : limit
          const listed = page(wanted).all(project, kind, from) as unknown as ListedRow[]
          for (const row of listed) {
            from = row.name
            const stored = parseJson(row.metadata) as JsonObject
            if (nameContains !== null && !row.name.includes(nameContains)) continue
            if (!matches(stored, metadata)) continue
            found.push({
              project,
              kind,
              name: row.name,
              metadata: stored,
              version: `${row.id}.${row.revision}`,
            })
            if (found.length === limit) return found
          }
          if (listed.length < wanted) return found
          looks += listed.length
        }
        return UNFINISHED
      })
    },

    count: ({ project, kind }) => turns.submit(() => (count.get(project, kind) as { count: number }).count),

    usage: ({ project }) =>
      turns.submit(() => {
        states.storeCounts()
        const { queues, messages, bytes } = usage.get(project) as unknown as ProjectUsage
        return { queues, messages, bytes }
      }),

    stats: ({ key, now }) =>
      turns.submit(() => {
        const state = states.find(key)
        if (state === null) return null
        const actual = numbers.notBefore(now)
        if (!settling.settle(state, actual)) return UNFINISHED
        const edges = rows.edges(state, actual)
        const [oldest = null, newest = null] = rows.toMessages(edges, state.bucket)
        return { free: state.free - settling.countExpired(state, actual), claimed: state.claimed, oldest, newest }
      }),
  }
}

function matches(metadata: JsonObject, filters: readonly MetadataFilter[]): boolean {
  return filters.every(({ key, anyOf }) => Object.hasOwn(metadata, key) && anyOf.includes(metadata[key] as never))
}
