import { passesFilters } from '../../model/members.ts'
import { type ListedQueue, type ProjectUsage, type QueueStore, STALE } from '../contract.ts'
import type { Engine } from './engine.ts'
import { Unfinished } from './turns.ts'

/** Bytes of metadata that a listing looks at in one turn: a millisecond or so. */
const BYTES_PER_TURN = 131_072
/** What a queue counts beside its metadata. */
const BYTES_OF_A_LOOK = 1_000

/** Queues that a listing found, up to the name that it looked at last. */
interface ListedSoFar {
  readonly found: readonly ListedQueue[]
  readonly last: string
}

export function createQueueStore(engine: Engine): QueueStore {
  const { db, turns, states, rows, settling, subscriptionWatchers, needRoom, tell, onQueue } = engine
  const behind = 'project = ? AND kind = ? AND name > ? ORDER BY name'
  const names = db.prepare(`SELECT name, NULL AS metadata FROM queue WHERE ${behind}`)
  const documents = db.prepare(
    `SELECT name, text AS metadata FROM queue q JOIN metadata m ON m.queue = q.number WHERE ${behind}`,
  )
  const usage = db.prepare(
    `SELECT count(*) AS queues, ifnull(sum(free + held), 0) AS messages,
       ifnull(sum(bytes + subscription_bytes + octet_length(text) - 2), 0) AS bytes
     FROM queue q JOIN metadata m ON m.queue = q.number WHERE project = ?`,
  )
  const count = db.prepare('SELECT count(*) AS count FROM queue WHERE project = ? AND kind = ?')

  return {
    create: ({ key, metadata }) =>
      turns.submit(() => {
        const known = states.find(key)
        if (known !== null) return { created: false, queue: states.toQueue(known) }
        needRoom()
        return { created: true, queue: states.toQueue(states.create(key, metadata)) }
      }),

    get: ({ key }) =>
      turns.submit(() => {
        const state = states.find(key)
        return state && states.toQueue(state)
      }),

    update: ({ queue, metadata }) =>
      turns.submit(() => {
        const state = states.open(queue)
        if (state === STALE) return STALE
        needRoom()
        states.updateSettings(state, metadata)
        tell(state)
        return states.toQueue(state)
      }),

    delete: ({ queue }) =>
      turns.submit(() => {
        const state = states.open(queue)
        if (state === STALE) return STALE
        states.delete(state)
        subscriptionWatchers.changed(state.key)
        return 'deleted' as const
      }),

    list({ project, kind, after, limit, nameContains, metadata, withMetadata }) {
      const page = withMetadata || metadata.length > 0 ? documents : names
      return turns.submit((soFar: ListedSoFar = { found: [], last: after ?? '' }) => {
        const found = [...soFar.found]
        let { last } = soFar
        let left = BYTES_PER_TURN
        for (const row of page.iterate(project, kind, last) as Iterable<{ name: string; metadata: string | null }>) {
          if (left <= 0) return new Unfinished<ListedSoFar>({ found, last })
          last = row.name
          left -= BYTES_OF_A_LOOK + (row.metadata?.length ?? 0)
          if (nameContains !== null && !row.name.includes(nameContains)) continue
          if (!passesFilters(row.metadata ?? '{}', metadata)) continue
          found.push({ name: row.name, metadata: withMetadata ? row.metadata : null })
          if (found.length === limit) break
        }
        return found
      })
    },

    count: ({ project, kind }) => turns.submit(() => (count.get(project, kind) as { count: number }).count),

    usage: ({ project }) =>
      turns.submit(() => {
        states.storeCounts()
        const { queues, messages, bytes } = usage.get(project) as unknown as ProjectUsage
        return { queues, messages, bytes }
      }),

    stats: ({ queue, now }) =>
      onQueue(queue, now, (state, now) => {
        const [oldest = null, newest = null] = rows.toMessages(rows.edges(state, now), state)
        return { free: state.free - settling.countExpired(state, now), claimed: state.held, oldest, newest }
      }),
  }
}
