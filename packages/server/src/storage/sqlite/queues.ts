import { passesFilters } from '../../model/members.ts'
import { type ListedQueue, type ProjectUsage, QueueMoving, type QueueStore, STALE } from '../contract.ts'
import type { Engine } from './engine.ts'
import { type Fence, isFence } from './queue-states.ts'
import { Unfinished } from './turns.ts'

/** Bytes of metadata that a listing looks at in one turn: a millisecond or so. */
const BYTES_PER_TURN = 131_072
/** What a queue counts beside its metadata. */
const BYTES_OF_A_LOOK = 1_000

/** Of `queue q`: not on its way here from another store. */
export const IS_NO_COPY = "NOT EXISTS (SELECT 1 FROM moving WHERE moving.queue = q.number AND role = 'arriving')"

/** Queues that a listing found, up to the name that it looked at last. */
interface ListedSoFar {
  readonly found: readonly ListedQueue[]
  readonly last: string
}

export function createQueueStore(engine: Engine): QueueStore {
  const { db, turns, states, rows, settling, subscriptionWatchers, needRoom, tell, onQueue } = engine
  const behind = `project = ? AND kind = ? AND name > ? AND ${IS_NO_COPY} ORDER BY name`
  const names = db.prepare(`SELECT name, NULL AS metadata FROM queue q WHERE ${behind}`)
  const documents = db.prepare(
    `SELECT name, text AS metadata FROM queue q JOIN metadata m ON m.queue = q.number WHERE ${behind}`,
  )
  const usage = db.prepare(
    `SELECT count(*) AS queues, ifnull(sum(free + held), 0) AS messages,
       ifnull(sum(bytes + subscription_bytes + octet_length(text) - 2), 0) AS bytes
     FROM queue q JOIN metadata m ON m.queue = q.number WHERE project = ? AND ${IS_NO_COPY}`,
  )
  const count = db.prepare(`SELECT count(*) AS count FROM queue q WHERE project = ? AND kind = ? AND ${IS_NO_COPY}`)
  // What is due, or has expired, was settled before.
  const delayed = db.prepare('SELECT count(*) AS delayed FROM (SELECT 1 FROM delayed WHERE bucket = ? LIMIT ?)')

  /** @throws QueueMoving, behind the turn: a move that throws takes its neighbours back. */
  async function unlessFenced<T>(move: () => T | Fence): Promise<T> {
    const answer = await turns.submit(move)
    if (isFence(answer)) throw new QueueMoving(answer)
    return answer
  }

  return {
    create: ({ key, metadata }) =>
      unlessFenced(() => {
        const known = states.find(key)
        if (known !== null) return known.fence ?? { created: false, queue: states.toQueue(known) }
        needRoom()
        return { created: true, queue: states.toQueue(states.create(key, metadata)) }
      }),

    get: ({ key }) =>
      unlessFenced(() => {
        const state = states.find(key)
        return state && (state.fence ?? states.toQueue(state))
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

    stats: ({ queue, countDelayed, now }) =>
      onQueue(queue, now, (state, now) => {
        const [oldest = null, newest = null] = rows.toMessages(rows.edges(state, now), state)
        const free = state.free - settling.countExpired(state, now)
        const counted =
          countDelayed === undefined ? {} : (delayed.get(state.bucket, countDelayed) as { delayed: number })
        return { free, claimed: state.held, ...counted, oldest, newest }
      }),
  }
}
