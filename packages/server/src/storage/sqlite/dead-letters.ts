import type { DeadLetterPolicy, Instant, QueueKey } from '../../model/model.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import { BEGINNING, type Cursor, type MessageRow } from './message-rows.ts'
import type { QueueState } from './queue-states.ts'
import { Unfinished } from './turns.ts'

/** Messages that one turn moves at the most. */
const MOVES_PER_TURN = 250

/** Messages that were claimed too often, on their way out and back. */
export class DeadLetters {
  readonly #engine: Engine
  readonly #move
  readonly #moved
  readonly #originOf

  constructor(engine: Engine) {
    this.#engine = engine
    this.#move = engine.db.prepare(
      `UPDATE messages SET bucket = ?, place = ?, visible_at = ?, delayed = 0, claim_count = 0, ttl = ?, expires_at = ?, origin = ?
       WHERE number = ?`,
    )
    this.#moved = limited(
      engine.db,
      `SELECT number, visible_at AS instant, place, origin FROM messages
       WHERE bucket = ?1 AND held = 0 AND origin IS NOT NULL AND (visible_at, place) > (?2, ?3) AND expires_at > ?4
       ORDER BY visible_at, place`,
    )
    this.#originOf = engine.db.prepare('SELECT origin FROM messages WHERE number = ?')
  }

  /** Up to `limit` of the oldest messages to hand out; those that were claimed too often move away on the way. */
  firstDeliverable(
    state: QueueState,
    limit: number,
    policy: DeadLetterPolicy | null,
    now: Instant,
  ): MessageRow[] | Unfinished {
    const { rows } = this.#engine
    if (policy === null || policy.queue === state.key.name) return rows.firstVisible(state, now, limit)
    for (let moves = 0; moves < MOVES_PER_TURN; ) {
      const first = rows.firstVisible(state, now, limit)
      const dead = first.filter((row) => row.claim_count >= policy.maxClaimCount)
      if (dead.length === 0) return first
      const target = this.#targetOf(state, policy.queue)
      for (const row of dead) {
        const expiresAt = policy.ttlSeconds === null ? row.expires_at : now + policy.ttlSeconds * 1000
        this.#carry(row, state, target, { expiresAt, origin: state.key.name }, now)
      }
      moves += dead.length
    }
    return new Unfinished()
  }

  /** Moves messages back to where they came from; see the contract. */
  redrive(
    state: QueueState,
    ids: readonly string[] | null,
    limit: number,
    now: Instant,
  ): { id: string; queue: string }[] {
    const moved: { id: string; queue: string }[] = []
    for (const row of ids === null ? this.#movable(state, limit, now) : this.#engine.rows.byIds(state, ids, now)) {
      const { origin } = this.#originOf.get(row.number) as {
        origin: string | null
      }
      const target = origin === null ? null : this.#engine.states.find(keyOf(state, origin))
      if (target === null || target === state || row.claim !== null) continue
      this.#carry(row, state, target, { expiresAt: row.expires_at, origin: null }, now)
      moved.push({ id: this.#engine.rows.idOf(row), queue: target.key.name })
    }
    return moved
  }

  /** The oldest whose old queue is there. Passes over those whose queue is gone, as far as one turn may look. */
  #movable(state: QueueState, limit: number, now: Instant): MessageRow[] {
    const found: MessageRow[] = []
    let cursor: Cursor = BEGINNING
    for (let looks = 0; looks < MOVES_PER_TURN; ) {
      const page = this.#moved(limit).all(state.bucket, cursor.instant, cursor.place, now) as unknown as (Cursor & {
        number: number
        origin: string
      })[]
      for (const { number, origin } of page) {
        if (found.length === limit || this.#engine.states.find(keyOf(state, origin)) === null) continue
        found.push(this.#engine.rows.byNumber(state.bucket, number) as MessageRow)
      }
      cursor = page.at(-1) ?? cursor
      looks += page.length
      if (page.length < limit || found.length === limit) break
    }
    return found
  }

  #targetOf(state: QueueState, name: string): QueueState {
    const key = keyOf(state, name)
    return this.#engine.states.find(key) ?? this.#engine.states.create(key, '{}')
  }

  #carry(
    row: MessageRow,
    from: QueueState,
    to: QueueState,
    { expiresAt, origin }: { expiresAt: Instant; origin: string | null },
    now: Instant,
  ): void {
    const { numbers, states, announce } = this.#engine
    // Less its age, what is left of its life, which a claim may have lengthened.
    const ttl = Math.floor((expiresAt - row.created_at) / 1000)
    this.#move.run(to.bucket, numbers.take(1), now, ttl, expiresAt, origin, row.number)
    const bytes = Buffer.byteLength(row.body)
    from.free -= 1
    from.bytes -= bytes
    to.free += 1
    to.bytes += bytes
    if (expiresAt < to.nextEnd) to.nextEnd = expiresAt
    states.touch(from)
    states.touch(to)
    announce(to)
  }
}

function keyOf(state: QueueState, name: string): QueueKey {
  return { project: state.key.project, kind: 'queue', name }
}
