import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** More different limits than any client uses; then the cache starts anew. */
const KEPT = 100

/**
 * A query with the limit written into it, prepared once for each limit. SQLite plans a query anew whenever a bound
 * LIMIT is set, which costs four times what the query itself does.
 */
export function limited(db: DatabaseSync, sql: string): (limit: number) => StatementSync {
  const prepared = new Map<number, StatementSync>()
  return (limit) => {
    let statement = prepared.get(limit)
    if (statement === undefined) {
      if (prepared.size === KEPT) prepared.clear()
      statement = db.prepare(`${sql} LIMIT ${Math.trunc(limit)}`)
      prepared.set(limit, statement)
    }
    return statement
  }
}
