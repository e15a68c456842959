import type { CensusStore, CountedQueue } from '../contract.ts'
import type { Engine } from './engine.ts'
import { IS_NO_COPY } from './queues.ts'

export function createCensusStore({ db, turns, states }: Engine): CensusStore {
  const queues = db.prepare(
    `SELECT project, kind, name, free, held AS claimed,
       CASE WHEN free + held > 0 THEN ifnull(
         (SELECT created_at FROM message m WHERE m.bucket = q.bucket ORDER BY place LIMIT 1),
         (SELECT created_at FROM delayed d WHERE d.bucket = q.bucket ORDER BY due_at, number LIMIT 1))
       END AS oldestAt
     FROM queue q WHERE (project, kind, name) > (?, ?, ?) AND ${IS_NO_COPY} ORDER BY project, kind, name LIMIT ?`,
  )
  const owed = db.prepare(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM feed LIMIT ?1)) AS feed,
            (SELECT count(*) FROM (SELECT 1 FROM owed WHERE born IS NOT NULL LIMIT ?1)) AS retries`,
  )

  return {
    queues: ({ after, limit }) =>
      turns.submit(() => {
        states.storeCounts()
        const { project = '', kind = '', name = '' } = after ?? {}
        return queues.all(project, kind, name, limit) as unknown as CountedQueue[]
      }),

    owed: ({ limit }) => turns.submit(() => ({ ...(owed.get(limit) as { feed: number; retries: number }) })),
  }
}
