import pg from 'pg'
import { StorageUnavailable } from '../contract.ts'

/**
 * SQLSTATEs after which the connection is of no more use: it is going, or it leads to a server that takes no writes.
 */
const ENDS_CONNECTION = /^(08|57P0[1-5]|25006)/

/**
 * SQLSTATEs of a server in trouble, rather than of a mistake of ours: connections, resources (disk full, too many
 * connections), operator intervention, system errors, read-only standby, deadlock and serialisation, lock not
 * available.
 */
const TROUBLE = /^(08|53|57|58|25006|40|55P03)/

/** SQLSTATEs after which the same transaction may well succeed at once: deadlock and serialisation. */
const MAY_SUCCEED_AGAIN = /^(40001|40P01)$/

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Null when the server has not answered: then nobody knows whether the transaction has happened. A system's own error
 * code may look like an SQLSTATE (EPIPE), and what ended the connection may come from a pooler, which knows no more
 * than we do.
 */
function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof pg.DatabaseError) || error.severity === 'FATAL') return null
  return error.code ?? null
}

/** The server has said that it rolled the transaction back. */
export function isRolledBack(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state !== null && !state.startsWith('08')
}

export function endsConnection(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state === null || ENDS_CONNECTION.test(state)
}

export function maySucceedAgain(error: unknown): boolean {
  return MAY_SUCCEED_AGAIN.test(sqlStateOf(error) ?? '')
}

/** Somebody has held a lock for longer than a move waits. */
export function isLockedOut(error: unknown): boolean {
  return sqlStateOf(error) === LOCK_NOT_AVAILABLE
}

/** What the caller of a move gets to see: `StorageUnavailable`, or the error itself where it is a bug. */
export function toFailure(error: unknown): unknown {
  const state = sqlStateOf(error)
  if (error instanceof StorageUnavailable || (state !== null && !TROUBLE.test(state))) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new StorageUnavailable(`PostgreSQL does not serve: ${reason}`, { cause: error })
}
