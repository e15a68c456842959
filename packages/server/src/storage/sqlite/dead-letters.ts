import type { DeadLetterPolicy, Instant, QueueKey } from '../../model/model.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import { type MessageRow, NO_CLAIM } from './message-rows.ts'
import type { QueueState } from './queue-states.ts'
import { Unfinished } from './turns.ts'

/** Messages that one turn moves at the most. */
const MOVES_PER_TURN = 250

/** Messages that were claimed too often, on their way out and back. */
export class DeadLetters {
  readonly #engine: Engine
  readonly #move
  readonly #moved
  readonly #cameFrom

  constructor(engine: Engine) {
    this.#engine = engine
    this.#move = engine.db.prepare(
      `UPDATE message SET bucket = ?, place = ?, posted = NULL, born_incarnation = ifnull(born_incarnation, ?),
         born = ifnull(born, place), claim_count = 0, ttl = ?, expires_at = ?, came_from = ?
       WHERE rowid = ?`,
    )
    this.#moved = limited(
      engine.db,
      `SELECT place, came_from FROM message INDEXED BY message_moved
       WHERE bucket = ? AND place > ? AND expires_at > ? AND claim = ${NO_CLAIM} AND came_from IS NOT NULL ORDER BY place`,
    )
    this.#cameFrom = engine.db.prepare('SELECT came_from FROM message WHERE rowid = ?')
  }

  /** Up to `limit` of the oldest messages to hand out; those that were claimed too often move away on the way. */
  firstDeliverable(
    state: QueueState,
    limit: number,
    policy: DeadLetterPolicy | null,
    now: Instant,
  ): MessageRow[] | Unfinished {
    const { rows, settling } = this.#engine
    if (policy === null || policy.queue === state.key.name) return rows.firstVisible(state, now, limit)
    for (let moves = 0; moves < MOVES_PER_TURN; ) {
      const first = rows.firstVisible(state, now, limit)
      const dead = first.filter((row) => row.claim_count >= policy.maxClaimCount)
      if (dead.length === 0) return first
      const target = this.#targetOf(state, policy.queue)
      if (!settling.settle(target, now)) break
      for (const row of dead) {
        const expiresAt = policy.ttlSeconds === null ? row.expires_at : now + policy.ttlSeconds * 1000
        this.#carry(row, state, target, { expiresAt, cameFrom: state.key.name })
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
  ): { id: string; queue: string }[] | Unfinished {
    const { rows, settling } = this.#engine
    const chosen = ids === null ? this.#movable(state, limit, now) : rows.byIds(state, ids, now)
    const moves = chosen.flatMap((row) => {
      const target = this.#oldQueueOf(row, state)
      return target === null ? [] : [{ row, target }]
    })
    for (const { target } of moves) if (!settling.settle(target, now)) return new Unfinished()
    return moves.map(({ row, target }) => {
      this.#carry(row, state, target, { expiresAt: row.expires_at, cameFrom: null })
      return { id: rows.idOf(row, state), queue: target.key.name }
    })
  }

  /** Null where the message stays. */
  #oldQueueOf(row: MessageRow, state: QueueState): QueueState | null {
    if (row.place === null || row.claim !== null) return null
    const { came_from } = this.#cameFrom.get(row.rowid) as { came_from: string | null }
    const target = came_from === null ? null : this.#engine.states.find(keyOf(state, came_from))
    return target === state ? null : target
  }

  /** The oldest whose old queue is there. Passes over those whose queue is gone, as far as one turn may look. */
  #movable(state: QueueState, limit: number, now: Instant): MessageRow[] {
    const found: MessageRow[] = []
    let after = 0
    for (let looks = 0; looks < MOVES_PER_TURN; ) {
      const page = this.#moved(limit).all(state.bucket, after, now) as { place: number; came_from: string }[]
      for (const { place, came_from } of page) {
        if (found.length === limit || this.#engine.states.find(keyOf(state, came_from)) === null) continue
        found.push(this.#engine.rows.byPlace(state, place) as MessageRow)
      }
      after = page.at(-1)?.place ?? after
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
    { expiresAt, cameFrom }: { expiresAt: Instant; cameFrom: string | null },
  ): void {
    const { states, announce } = this.#engine
    // Less its age, what is left of its life, which a claim may have lengthened.
    const ttl = Math.floor((expiresAt - row.created_at) / 1000)
    to.last += 1
    this.#move.run(to.bucket, to.last, from.incarnation, ttl, expiresAt, cameFrom, row.rowid)
    const bytes = Buffer.byteLength(row.body)
    from.free -= 1
    from.bytes -= bytes
    to.free += 1
    to.bytes += bytes
    if (expiresAt < to.expiresAt) to.expiresAt = expiresAt
    states.touch(from)
    states.touch(to)
    announce(to)
  }
}

function keyOf(state: QueueState, name: string): QueueKey {
  return { project: state.key.project, kind: 'queue', name }
}
