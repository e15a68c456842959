/** What an import has done: a file of SQLite, which kill -9 at any instant leaves as it was after some page. */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Instant, QueueKind } from '../../model/model.ts'
import { ImportError } from './import-error.ts'

/** "ZqIm", in the head of the file. */
const APPLICATION_ID = 0x5a71496d

const QUEUES = `
  CREATE TABLE queue (           -- and topics
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    kind TEXT NOT NULL,          -- QueueKind
    name TEXT NOT NULL,
    metadata TEXT,               -- what the destination was given last, as JSON; null: nothing yet
    is_begun INTEGER NOT NULL,   -- whether messages of it may be at the destination
    pass INTEGER NOT NULL,       -- the latest that has found it at the source
    UNIQUE (project, kind, name)
  ) STRICT;
  PRAGMA user_version = 1;
`

const SCHEMA = `
  CREATE TABLE import (
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    pass INTEGER NOT NULL        -- the latest
  ) STRICT;
  ${QUEUES}
  CREATE TABLE message (
    queue INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    destination_id TEXT NOT NULL,
    is_delayed INTEGER NOT NULL, -- whether it was when it was imported: its place is another one then
    expires_at INTEGER NOT NULL, -- at the destination
    digest BLOB NOT NULL,        -- of its body
    pass INTEGER NOT NULL,       -- the latest that has found it at the source
    position INTEGER NOT NULL,   -- among the messages that this pass has found
    verified INTEGER NOT NULL,   -- the latest pass that has found it at the destination
    PRIMARY KEY (queue, source_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX message_at_destination ON message (queue, destination_id);
  CREATE INDEX message_of_pass ON message (queue, pass, is_delayed, position);
  CREATE TABLE batch (           -- what is on its way
    queue INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    messages TEXT NOT NULL       -- JSON of PlannedMessage[]
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
`

/** Files of the time when topics were left out have version 0. */
const WITH_TOPICS = `
  ALTER TABLE queue RENAME TO queue_alone;
  ${QUEUES}
  INSERT INTO queue SELECT id, project, 'queue', name, metadata, is_begun, pass FROM queue_alone;
  DROP TABLE queue_alone;
`

/** Messages found at the destination by the verification under way, in its order. */
const FOUND = `
  CREATE TEMP TABLE found (
    place INTEGER PRIMARY KEY,
    is_delayed INTEGER NOT NULL,
    position INTEGER NOT NULL,
    digest BLOB NOT NULL
  ) STRICT;
`

/** Names a queue or topic of a project. */
export interface Named {
  readonly kind: QueueKind
  readonly name: string
}

/** A queue or topic. */
export interface QueueRow extends Named {
  readonly id: number
  /** JSON; null: the destination was given nothing yet. */
  readonly metadata: string | null
  readonly is_begun: number
}

export interface MessageRow {
  readonly source_id: string
  readonly destination_id: string
  readonly is_delayed: number
  readonly digest: Uint8Array
  readonly pass: number
  readonly position: number
  readonly verified: number
}

/** A message that the destination has now. */
export interface ImportedMessage {
  readonly sourceId: string
  readonly destinationId: string
  readonly isDelayed: boolean
  readonly expiresAt: Instant
  readonly digest: Uint8Array
  readonly position: number
}

export interface Sides {
  readonly source: string
  readonly destination: string
}

/** Rows are looked at so many at a time. */
const SLICE = 100

export class ImportState {
  /** Counts the times that the source is gone through, from 1. */
  readonly pass: number
  readonly #db: DatabaseSync
  readonly #isDry: boolean
  readonly #statements = new Map<string, StatementSync>()

  /**
   * Opens the file for this process alone and begins a pass. `isDry`: the file stays as it is, and need not be there.
   * @throws ImportError where it belongs to another import, or is no such file
   */
  constructor(path: string, { source, destination }: Sides, { isDry }: { readonly isDry: boolean }) {
    this.#isDry = isDry
    this.#db = open(path, isDry)
    try {
      if (isDry) this.#db.exec('BEGIN')
      this.#upgrade()
      const known = this.#one('SELECT * FROM import') as (Sides & { pass: number }) | undefined
      if (known !== undefined && (known.source !== source || known.destination !== destination)) {
        throw new ImportError(
          `${path} is for an import from ${known.source} to ${known.destination}: name another file by --state`,
        )
      }
      this.pass = (known?.pass ?? 0) + 1
      if (known === undefined) this.#run('INSERT INTO import VALUES (?, ?, ?)', source, destination, this.pass)
      else this.#run('UPDATE import SET pass = ?', this.pass)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  #upgrade(): void {
    const { user_version } = this.#one('PRAGMA user_version') as { user_version: number }
    if (user_version === 0) this.transaction(() => this.#db.exec(WITH_TOPICS))
  }

  close(): void {
    if (this.#isDry) this.#db.exec('ROLLBACK')
    this.#db.close()
  }

  /** All of it or nothing is in the file. */
  transaction(change: () => void): void {
    // All of a dry run is in one already, which is rolled back.
    this.#db.exec(this.#isDry ? 'SAVEPOINT change' : 'BEGIN IMMEDIATE')
    try {
      change()
      this.#db.exec(this.#isDry ? 'RELEASE change' : 'COMMIT')
    } catch (error) {
      this.#db.exec(this.#isDry ? 'ROLLBACK TO change' : 'ROLLBACK')
      throw error
    }
  }

  /** The source has this queue or topic. False: this pass has found it before. */
  findQueue(project: string, { kind, name }: Named): boolean {
    const { changes } = this.#run(
      `INSERT INTO queue (project, kind, name, is_begun, pass) VALUES (?, ?, ?, 0, ?)
       ON CONFLICT DO UPDATE SET pass = excluded.pass WHERE pass < excluded.pass`,
      project,
      kind,
      name,
      this.pass,
    )
    return changes > 0
  }

  /** That this pass has found, in the order in which the first pass found them. */
  *queues(project: string): Generator<QueueRow, void> {
    let last = 0
    for (;;) {
      const rows = this.#all(
        `SELECT id, kind, name, metadata, is_begun FROM queue WHERE project = ? AND pass = ? AND id > ? ORDER BY id LIMIT ${SLICE}`,
        project,
        this.pass,
        last,
      ) as unknown as QueueRow[]
      yield* rows
      if (rows.length === 0) return
      last = (rows.at(-1) as QueueRow).id
    }
  }

  countQueues(project: string): number {
    return this.#count('SELECT count(*) AS n FROM queue WHERE project = ? AND pass = ?', project, this.pass)
  }

  keepMetadata(queue: number, metadata: string): void {
    this.#run('UPDATE queue SET metadata = ? WHERE id = ?', metadata, queue)
  }

  beginQueue(queue: number): void {
    this.#run('UPDATE queue SET is_begun = 1 WHERE id = ?', queue)
  }

  bySourceId(queue: number, id: string): MessageRow | undefined {
    return this.#one('SELECT * FROM message WHERE queue = ? AND source_id = ?', queue, id) as MessageRow | undefined
  }

  byDestinationId(queue: number, id: string): MessageRow | undefined {
    return this.#one('SELECT * FROM message WHERE queue = ? AND destination_id = ?', queue, id) as
      | MessageRow
      | undefined
  }

  /** The source has this message still. */
  seeMessage(queue: number, sourceId: string, position: number): void {
    this.#run(
      'UPDATE message SET pass = ?, position = ? WHERE queue = ? AND source_id = ?',
      this.pass,
      position,
      queue,
      sourceId,
    )
  }

  /** What is to be posted, kept before it is. */
  planBatch(queue: number, key: string, messages: string): void {
    this.#run('INSERT INTO batch (queue, key, messages) VALUES (?, ?, ?)', queue, key, messages)
  }

  plannedBatch(queue: number): { readonly key: string; readonly messages: string } | undefined {
    const row = this.#one('SELECT key, messages FROM batch WHERE queue = ?', queue)
    return row as { key: string; messages: string } | undefined
  }

  /** The destination has all of the planned batch; `pass` has seen it at the source. */
  finishBatch(queue: number, messages: readonly ImportedMessage[], pass: number): void {
    this.#run('DELETE FROM batch WHERE queue = ?', queue)
    for (const { sourceId, destinationId, isDelayed, expiresAt, digest, position } of messages) {
      this.#run(
        'INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)',
        queue,
        sourceId,
        destinationId,
        Number(isDelayed),
        expiresAt,
        digest,
        pass,
        position,
      )
    }
  }

  /** Some that were imported, and that the source has not any more. */
  goneMessages(queue: number, limit: number): MessageRow[] {
    return this.#all(
      'SELECT * FROM message WHERE queue = ? AND pass < ? LIMIT ?',
      queue,
      this.pass,
      limit,
    ) as unknown as MessageRow[]
  }

  countGone(queue: number): number {
    return this.#count('SELECT count(*) AS n FROM message WHERE queue = ? AND pass < ?', queue, this.pass)
  }

  forgetMessage(queue: number, sourceId: string): void {
    this.#run('DELETE FROM message WHERE queue = ? AND source_id = ?', queue, sourceId)
  }

  /** What the destination shows of the messages that the source has. */
  beginVerification(): void {
    this.#run('DELETE FROM found')
  }

  /** `digest` of the body at the destination. */
  verifyMessage(
    queue: number,
    { source_id, is_delayed, position }: MessageRow,
    place: number,
    digest: Uint8Array,
  ): void {
    this.#run('UPDATE message SET verified = ? WHERE queue = ? AND source_id = ?', this.pass, queue, source_id)
    this.#run('INSERT INTO found VALUES (?, ?, ?, ?)', place, is_delayed, position, digest)
  }

  /** Digests of bodies that both sides have, in the order of the source; what was delayed comes last. */
  *verifiedAtSource(queue: number): Generator<Uint8Array, void> {
    yield* this.#digests(
      `SELECT digest FROM message WHERE queue = ? AND pass = ? AND verified = pass ORDER BY is_delayed, position`,
      queue,
      this.pass,
    )
  }

  /** The same in the order of the destination; what was delayed has another place there, and comes as at the source. */
  *verifiedAtDestination(): Generator<Uint8Array, void> {
    yield* this.#digests('SELECT digest FROM found ORDER BY is_delayed, iif(is_delayed, position, place)')
  }

  /** That the source has: how many, and how many of those the destination should show at this time and does not. */
  countMessages(
    queue: number,
    now: Instant,
  ): { readonly atSource: number; readonly missing: number; readonly expired: number } {
    const row = this.#one(
      `SELECT count(*) AS atSource,
              count(*) FILTER (WHERE verified < pass AND expires_at > ?) AS missing,
              count(*) FILTER (WHERE verified < pass AND expires_at <= ?) AS expired
       FROM message WHERE queue = ? AND pass = ?`,
      now,
      now,
      queue,
      this.pass,
    )
    return row as { atSource: number; missing: number; expired: number }
  }

  *#digests(sql: string, ...values: number[]): Generator<Uint8Array, void> {
    for (const { digest } of this.#db.prepare(sql).iterate(...values)) yield digest as Uint8Array
  }

  #count(sql: string, ...values: (string | number)[]): number {
    return (this.#one(sql, ...values) as { n: number }).n
  }

  #one(sql: string, ...values: (string | number)[]): unknown {
    return this.#prepared(sql).get(...values)
  }

  #all(sql: string, ...values: (string | number)[]): unknown[] {
    return this.#prepared(sql).all(...values)
  }

  #run(sql: string, ...values: (string | number | Uint8Array)[]) {
    return this.#prepared(sql).run(...values)
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

/** @throws ImportError */
function open(path: string, isDry: boolean): DatabaseSync {
  const isNew = createPrivate(path, isDry)
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(isNew && isDry ? ':memory:' : path)
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA secure_delete = ON')
    if (!isDry) db.exec('PRAGMA journal_mode = WAL')
    db.exec('BEGIN IMMEDIATE')
    const { application_id: id } = db.prepare('PRAGMA application_id').get() as { application_id: number }
    const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
    if (tables === 0) db.exec(SCHEMA)
    else if (id !== APPLICATION_ID) throw new Error('it is no state file of an import')
    db.exec('COMMIT')
    db.exec(FOUND)
    return db
  } catch (error) {
    db?.close()
    const { errcode, message } = error as Error & { errcode?: number }
    const reason = errcode === SQLITE_BUSY ? 'another import is using it' : message
    throw new ImportError(`${path}: ${reason}`)
  }
}

const SQLITE_BUSY = 5

/**
 * Whether there was none. It holds bodies of messages that are on their way, so it is for this user alone, and what SQLite
 * puts beside it as well.
 */
function createPrivate(path: string, isDry: boolean): boolean {
  try {
    closeSync(openSync(path, isDry ? 'r' : 'wx', 0o600))
    return !isDry
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code === 'ENOENT' && isDry) return true
    throw new ImportError(`${path}: ${message}`)
  }
}
