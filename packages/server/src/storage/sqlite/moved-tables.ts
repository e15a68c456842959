import type { DatabaseSync } from 'node:sqlite'
import { RECORD_KINDS, type RecordKind } from '../contract.ts'
import { NO_CLAIM } from './message-rows.ts'

/** What leads to the rows of a table, see the table `tracked`. */
type Tracked = 'bucket' | 'subscriptions' | 'queue' | 'incarnation' | 'line' | 'records'

/** A table whose rows go with a queue to another store. */
export interface MovedTable {
  readonly kind: RecordKind
  readonly table: string
  /** The column that leads to the queue, by a number of that kind; and what names the row beside it. */
  readonly owner: string
  readonly what: Tracked
  readonly key: string
  /** Of a record, as docs/engines.md lists them; what is stored otherwise is an expression. */
  readonly columns: readonly string[]
}

const BIRTH = ['born_incarnation', 'born']
const TOLD = ['since', ...BIRTH, 'created_at', 'ttl', 'delay', 'client', 'body']

export const MOVED_TABLES: readonly MovedTable[] = [
  table('subscription', 'bucket', 'subscriptions', 'id', [
    ...[
      'id',
      'subscriber',
      'ttl',
      'renewed_at',
      'expires_at',
      'options',
      'vault',
      'confirmed',
      'is_listening',
      'position',
    ],
    ...[
      'iif(lease_ends_at > 0, lease, 0) AS lease',
      'max(lease_ends_at, rests_until) AS busy_until',
      'failures',
      'failing_since',
      'paused_until',
      'log_from',
      'log_end',
    ],
  ]),
  table('message', 'bucket', 'bucket', 'place', [
    ...['place', 'posted', ...BIRTH, `nullif(claim, ${NO_CLAIM}) - ${NO_CLAIM} AS claim`, 'claim_count'],
    ...['created_at', 'expires_at', 'ttl', 'came_from', 'client', 'body'],
  ]),
  table('delayed', 'bucket', 'bucket', 'number', [
    ...['number', ...BIRTH, 'due_at', 'created_at', 'expires_at', 'ttl', 'client', 'body'],
  ]),
  table('claim', 'bucket', 'bucket', 'number', [
    ...['number', 'ends_at', 'ttl', 'renewed_at', 'holds', 'places', 'key', 'client'],
  ]),
  table('idempotency', 'bucket', 'bucket', 'key', ['key', 'digest', 'expires_at', 'created_at', 'first', 'count']),
  table('arrival', 'queue', 'queue', 'incarnation', ['incarnation', 'number']),
  table('departure', 'incarnation', 'incarnation', 'number', [
    ...['number', 'name', ...BIRTH, 'created_at', 'expires_at', 'ttl', 'client', 'came_from', 'body'],
  ]),
  table('feed', 'queue', 'queue', 'number', ['number', ...TOLD]),
  table('owed', 'bucket', 'line', 'number', ['number', 'due_at', ...TOLD, 'attempts']),
  table('failure', 'bucket', 'records', 'place', ['place', 'number', 'failed_at', 'expires_at', ...TOLD, 'attempts']),
  table('log', 'bucket', 'records', 'number', ['number', 'text']),
]

function table(kind: RecordKind, owner: string, what: Tracked, key: string, columns: readonly string[]): MovedTable {
  return { kind, table: kind, owner, what, key, columns }
}

/** The number of a kind in `touched`. */
function numberOf(kind: RecordKind): number {
  return RECORD_KINDS.indexOf(kind)
}

/**
 * Has changes noted in queues that leave. Triggers, so that no move needs to know; while no queue leaves there are none,
 * and nobody pays for them.
 */
export function createTriggers(db: DatabaseSync): void {
  for (const { kind, table, owner, what, key } of MOVED_TABLES) {
    const touch = (row: 'OLD' | 'NEW') =>
      `INSERT OR REPLACE INTO touched (queue, kind, owner, key, page)
         SELECT queue, ${numberOf(kind)}, number, ${row}.${key}, 0 FROM tracked
         WHERE what = '${what}' AND number = ${row}.${owner};`
    const trigger = (event: string, actions: string) =>
      db.exec(`CREATE TRIGGER IF NOT EXISTS ${nameOf(table, event)} AFTER ${event} ON ${table} BEGIN ${actions} END`)
    trigger('INSERT', touch('NEW'))
    trigger('UPDATE', touch('OLD') + touch('NEW'))
    trigger('DELETE', touch('OLD'))
  }
  db.exec(SUBSCRIPTION_TRIGGERS)
}

export function dropTriggers(db: DatabaseSync): void {
  const names = MOVED_TABLES.flatMap(({ table }) => EVENTS.map((event) => nameOf(table, event)))
  for (const name of [...names, ...SUBSCRIPTION_TRIGGER_NAMES]) db.exec(`DROP TRIGGER IF EXISTS ${name}`)
}

const EVENTS = ['INSERT', 'UPDATE', 'DELETE']

function nameOf(table: string, event: string): string {
  return `touched_${table}_${event.toLowerCase()}`
}

/** There as long as all of them are. */
export const A_TRIGGER = 'tracked_line'
const SUBSCRIPTION_TRIGGER_NAMES = ['tracked_subscription', A_TRIGGER, 'untracked_subscription']

/** What a subscription is owed hangs on its line, and what is recorded of it on its number. */
const SUBSCRIPTION_TRIGGERS = `
  CREATE TRIGGER IF NOT EXISTS tracked_subscription AFTER INSERT ON subscription BEGIN
    INSERT OR REPLACE INTO tracked (what, number, queue, id)
      SELECT 'line', NEW.line, queue, NEW.id FROM tracked WHERE what = 'subscriptions' AND number = NEW.bucket;
    INSERT OR REPLACE INTO tracked (what, number, queue, id)
      SELECT 'records', NEW.number, queue, NEW.id FROM tracked WHERE what = 'subscriptions' AND number = NEW.bucket;
  END;
  CREATE TRIGGER IF NOT EXISTS tracked_line AFTER UPDATE OF line ON subscription WHEN NEW.line <> OLD.line BEGIN
    UPDATE tracked SET number = NEW.line WHERE what = 'line' AND number = OLD.line;
    INSERT OR REPLACE INTO touched (queue, kind, owner, key, page)
      SELECT queue, ${numberOf('line')}, number, NEW.id, 0 FROM tracked WHERE what = 'subscriptions' AND number = NEW.bucket;
    INSERT OR REPLACE INTO touched (queue, kind, owner, key, page)
      SELECT t.queue, ${numberOf('owed')}, t.number, o.number, 0 FROM tracked t JOIN owed o ON o.bucket = t.number
      WHERE t.what = 'line' AND t.number = NEW.line;
  END;
  CREATE TRIGGER IF NOT EXISTS untracked_subscription AFTER DELETE ON subscription BEGIN
    DELETE FROM tracked WHERE what = 'line' AND number = OLD.line;
    DELETE FROM tracked WHERE what = 'records' AND number = OLD.number;
  END;`
