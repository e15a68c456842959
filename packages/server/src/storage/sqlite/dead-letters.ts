import type { DeadLetterPolicy, Instant, QueueKey } from '../../model/model.ts'
import { STALE } from '../contract.ts'
import { type Departures, type Leave, restOfLife } from './departures.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import { birthOf, type MessageRow, NO_CLAIM } from './message-rows.ts'
import type { QueueState } from './queue-states.ts'
import { Unfinished } from './turns.ts'

/** Messages that one turn moves at the most. */
const MOVES_PER_TURN = 250

/** A queue of this store, or the name of one that lies in another, or will soon. */
type Target = QueueState | string

interface Redriven {
  /** Null: the oldest `limit`. */
  readonly ids: readonly string[] | null
  readonly limit: number
  readonly elsewhere: ReadonlySet<string>
}

/** Messages that were claimed too often, on their way out and back. */
export class DeadLetters {
  readonly #engine: Engine
  readonly #departures: Departures
  readonly #move
  readonly #moved
  readonly #cameFrom

  constructor(engine: Engine, departures: Departures) {
    this.#engine = engine
    this.#departures = departures
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
      const target = this.#targetOf(state, policy)
      if (typeof target !== 'string' && !settling.settle(target, now)) break
      for (const row of dead) {
        const expiresAt = policy.ttlSeconds === null ? row.expires_at : now + policy.ttlSeconds * 1000
        this.#carry(row, state, target, { expiresAt, cameFrom: state.key.name }, now)
      }
      moves += dead.length
    }
    return new Unfinished()
  }

  /** Names of the queues that messages came from. */
  origins(state: QueueState, ids: readonly string[] | null, limit: number, now: Instant): string[] {
    const names = new Set<string>()
    if (ids === null) {
      const page = this.#moved(limit).all(state.bucket, 0, now) as { came_from: string }[]
      for (const { came_from } of page) names.add(came_from)
    } else {
      for (const { rowid, place } of this.#engine.rows.byIds(state, ids, now)) {
        const name = place === null ? null : (this.#cameFrom.get(rowid) as { came_from: string | null }).came_from
        if (name !== null) names.add(name)
      }
    }
    return [...names]
  }

  /** Moves messages back to where they came from; see the contract. */
  redrive(state: QueueState, which: Redriven, now: Instant): { id: string; queue: string }[] | Unfinished {
    const { rows, settling } = this.#engine
    const { ids, elsewhere } = which
    const chosen = ids === null ? this.#movable(state, which, now) : rows.byIds(state, ids, now)
    const moves = chosen.flatMap((row) => {
      const target = row.place === null || row.claim !== null ? null : this.#oldQueueOf(row, state, elsewhere)
      return target === null ? [] : [{ row, target }]
    })
    for (const { target } of moves) {
      if (typeof target !== 'string' && !settling.settle(target, now)) return new Unfinished()
    }
    return moves.map(({ row, target }) => {
      this.#carry(row, state, target, { expiresAt: row.expires_at, cameFrom: null }, now)
      return { id: rows.idOf(row, state), queue: typeof target === 'string' ? target : target.key.name }
    })
  }

  /** Null where the message stays. */
  #oldQueueOf(row: MessageRow, state: QueueState, elsewhere: ReadonlySet<string>): Target | null {
    const { came_from: name } = this.#cameFrom.get(row.rowid) as { came_from: string | null }
    return name === null ? null : this.#targetNamed(name, state, elsewhere)
  }

  #targetNamed(name: string, state: QueueState, elsewhere: ReadonlySet<string>): Target | null {
    // What came from this very queue stays.
    if (name === state.key.name) return null
    if (elsewhere.has(name)) return name
    const target = this.#engine.states.find(keyOf(state, name))
    return target === null || target.fence === null ? target : name
  }

  /** The oldest whose old queue is there. Passes over those whose queue is gone, as far as one turn may look. */
  #movable(state: QueueState, { limit, elsewhere }: Redriven, now: Instant): MessageRow[] {
    const found: MessageRow[] = []
    let after = 0
    for (let looks = 0; looks < MOVES_PER_TURN; ) {
      const page = this.#moved(limit).all(state.bucket, after, now) as { place: number; came_from: string }[]
      for (const { place, came_from } of page) {
        if (found.length === limit || this.#targetNamed(came_from, state, elsewhere) === null) continue
        found.push(this.#engine.rows.byPlace(state, place) as MessageRow)
      }
      after = page.at(-1)?.place ?? after
      looks += page.length
      if (page.length < limit || found.length === limit) break
    }
    return found
  }

  #targetOf(state: QueueState, { queue: name, elsewhere, version }: DeadLetterPolicy): Target {
    if (elsewhere) return name
    const { states } = this.#engine
    const key = keyOf(state, name)
    const found =
      version === undefined ? (states.find(key) ?? states.create(key, '{}')) : states.open({ ...key, version })
    return found === STALE || found.fence !== null ? name : found
  }

  #carry(row: MessageRow, from: QueueState, to: Target, leave: Leave, now: Instant): void {
    if (typeof to === 'string') {
      this.#departures.add(row, from, to, leave, now)
      return
    }
    const { states, gone, tell } = this.#engine
    const { expiresAt, cameFrom } = leave
    gone.removing(from, [row], now)
    gone.returning(to, birthOf(row, from))
    to.last += 1
    const ttl = restOfLife(row, expiresAt)
    this.#move.run(to.bucket, to.last, from.incarnation, ttl, expiresAt, cameFrom, row.rowid)
    const bytes = Buffer.byteLength(row.body)
    from.free -= 1
    from.bytes -= bytes
    to.free += 1
    to.bytes += bytes
    if (expiresAt < to.expiresAt) to.expiresAt = expiresAt
    states.touch(from)
    states.touch(to)
    tell(to)
  }
}

function keyOf(state: QueueState, name: string): QueueKey {
  return { project: state.key.project, kind: 'queue', name }
}
