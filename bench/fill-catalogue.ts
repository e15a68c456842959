import { DatabaseSync } from 'node:sqlite'
import { administer } from '../packages/server/test/storage/postgres-server.ts'
import type { PooledStores } from './pooled-stores.ts'

/** Queues that other projects have, each with this many. */
const QUEUES_PER_PROJECT = 1_000

/**
 * Puts so many queues into the catalogue, spread over the pools, by its table: a move for each would take minutes. They
 * are in the catalogue alone, of projects that nobody asks about.
 */
export async function fillCatalogue({ own, pools }: PooledStores, queues: number): Promise<void> {
  if (own.uri.startsWith('sqlite:')) fillFile(own.uri.slice('sqlite:'.length), pools.length, queues)
  else await fillDatabase(own.uri, pools.length, queues)
}

function fillFile(path: string, pools: number, queues: number): void {
  const db = new DatabaseSync(path)
  db.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${queues - 1})
    INSERT INTO placement (project, kind, name, pool, version, is_settled)
    SELECT printf('project-%06d', n / ${QUEUES_PER_PROJECT}), 'queue', printf('queue-%06d', n % ${QUEUES_PER_PROJECT}),
      'pool-' || (n % ${pools}), 'v' || n, 1
    FROM numbers`)
  db.close()
}

async function fillDatabase(uri: string, pools: number, queues: number): Promise<void> {
  await administer(
    uri,
    `INSERT INTO zaqar.placement (project, kind, name, pool, is_settled)
     SELECT 'project-' || lpad((n / ${QUEUES_PER_PROJECT})::text, 6, '0'), 'queue',
       'queue-' || lpad((n % ${QUEUES_PER_PROJECT})::text, 6, '0'), 'pool-' || (n % ${pools}), true
     FROM generate_series(0, ${queues - 1}) n`,
  )
  await administer(uri, 'ANALYZE zaqar.placement')
}
