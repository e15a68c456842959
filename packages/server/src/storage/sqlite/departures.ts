import type { Departure, Instant } from '../../model/model.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import { birthOf, type MessageRow } from './message-rows.ts'
import type { QueueState } from './queue-states.ts'

interface DepartureRow {
  readonly incarnation: number
  readonly number: number
  readonly project: string
  readonly name: string
  readonly born_incarnation: number
  readonly born: number
  readonly expires_at: Instant
  readonly ttl: number
  readonly created_at: Instant
  readonly came_from: string | null
  readonly client: string
  readonly body: string
}

/** What becomes of a message as it leaves its queue. */
export interface Leave {
  readonly expiresAt: Instant
  readonly cameFrom: string | null
}

/** Messages that have left their queues for others, in another store. */
export class Departures {
  readonly #engine: Engine
  readonly #insert
  readonly #page
  readonly #rowOf
  readonly #remove

  constructor(engine: Engine) {
    this.#engine = engine
    this.#insert = engine.db.prepare(
      `INSERT INTO departure (incarnation, number, project, name, born_incarnation, born, expires_at, ttl, created_at,
         came_from, client, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#page = limited(
      engine.db,
      `SELECT * FROM departure d WHERE rowid > ? AND expires_at > ? AND NOT EXISTS
         (SELECT 1 FROM tracked t WHERE t.what = 'copied' AND t.number = d.incarnation)
       ORDER BY rowid`,
    )
    this.#rowOf = engine.db.prepare('SELECT rowid FROM departure WHERE incarnation = ? AND number = ?')
    this.#remove = engine.db.prepare('DELETE FROM departure WHERE incarnation = ? AND number = ?')
  }

  /** The message leaves the queue for the one of that name. */
  add(row: MessageRow, from: QueueState, name: string, { expiresAt, cameFrom }: Leave, now: Instant): void {
    const { incarnation, number } = birthOf(row, from)
    from.last += 1
    this.#insert.run(
      from.incarnation,
      from.last,
      from.key.project,
      name,
      incarnation,
      number,
      expiresAt,
      restOfLife(row, expiresAt),
      row.created_at,
      cameFrom,
      row.client,
      row.body,
    )
    this.#engine.settling.consume(from, [{ ...row, bytes: Buffer.byteLength(row.body) }], now)
  }

  list(after: string | undefined, limit: number, now: Instant): Departure[] {
    const { sealer } = this.#engine
    const rows = this.#page(limit).all(this.#placeOf(after), now) as unknown as DepartureRow[]
    return rows.map((row) => ({
      id: sealer.seal({ kind: 'departure', number: row.number, incarnation: row.incarnation, createdAt: 0 }),
      queue: { project: row.project, kind: 'queue', name: row.name },
      message: {
        id: sealer.seal({
          kind: 'message',
          number: row.born,
          incarnation: row.born_incarnation,
          createdAt: row.created_at,
        }),
        body: row.body,
        clientId: row.client,
        ttlSeconds: row.ttl,
        createdAt: row.created_at,
        visibleAt: row.created_at,
        expiresAt: row.expires_at,
        claimCount: 0,
        cameFrom: row.came_from,
        marker: null,
        posting: null,
      },
    }))
  }

  /** Of one that is not there: the beginning. */
  #placeOf(id: string | undefined): number {
    const opened = id === undefined ? null : this.#engine.sealer.open('departure', id)
    const row = opened && (this.#rowOf.get(opened.incarnation, opened.number) as { rowid: number } | undefined)
    return row?.rowid ?? 0
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) {
      const opened = this.#engine.sealer.open('departure', id)
      if (opened !== null) this.#remove.run(opened.incarnation, opened.number)
    }
  }
}

/** Less its age, what is left of the life of a message, which a claim may have lengthened. Seconds. */
export function restOfLife(row: MessageRow, expiresAt: Instant): number {
  return Math.floor((expiresAt - row.created_at) / 1000)
}
