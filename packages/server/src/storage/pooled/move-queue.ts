import type { Instant, QueueKey } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import { type MoveStore, type Placement, type PlacementStore, type QueueEngine, QueueMoving } from '../contract.ts'

export interface MovePool {
  readonly name: string
  readonly engine: Pick<QueueEngine, 'queues' | 'moves'>
}

export interface MoveParts {
  readonly key: QueueKey
  readonly from: MovePool
  readonly to: MovePool
  readonly placements: PlacementStore
  readonly clock: Clock
  newToken(): string
  /** Records that are copied in a second, at most, while the queue serves; null: any number. Asked for each page. */
  rate?(): number | null
  /** Ends the move between two pages; the queue stays where it is. */
  readonly signal?: AbortSignal | undefined
  /** So many records have been stored. */
  onStored?(records: number): void
}

/**
 * `gone`: the queue is not there any more, or not in that pool. `overtaken`: somebody else moves it, or has ended this
 * move. `busy`: so much changes in it that what is left never took less than a second.
 */
export type MoveOutcome = 'moved' | 'gone' | 'overtaken' | 'busy' | 'cancelled'

/** Records and bytes of a page. */
const PAGE_RECORDS = 500
const PAGE_BYTES = 1 << 20
/** After so long the fence is given up, and the queue serves again while it is copied further. */
const FENCE_MS = 500
/**
 * Whoever finds the fence after so long ends it, and with it the attempt, whether the mover is dead or waits for one of
 * the stores. That is right at any time, and too early where the clocks of two nodes differ by that much.
 */
const FENCE_LEASE_MS = 1_000
/** Fences that may be given up. */
const ATTEMPTS = 10

/**
 * Moves a queue from one pool to another while it is in use: copies it, then what has changed since, then fences it for
 * the last of that, and has the catalogue say where it lies. Whatever dies in between, the queue has one owner, and a
 * move that begins later goes on where this one was. Any number may be at work: one of them succeeds.
 * @throws StorageUnavailable when a pool or the catalogue cannot serve now. The queue serves where the catalogue says.
 */
export async function moveQueue(parts: MoveParts): Promise<MoveOutcome> {
  const { key, from, to, placements, clock, newToken } = parts
  const placement = await placements.get({ key })
  if (placement?.pool !== from.name) return 'gone'
  // Who brought it here may have died before it said so here, and after that its name would be forgotten.
  const found = await findMoving(from, key, clock.now())
  if (found?.role === 'arriving') await resolveMoving({ key, pool: from, placements, clock }, found)
  const token = newToken()
  const begun = await placements.move({ placement, pool: from.name, token, target: to.name })
  if (begun === null) return 'overtaken'
  const attempt = new Attempt(parts, token, begun)
  try {
    const outcome = await attempt.run()
    if (outcome !== 'moved') await attempt.giveUp(outcome)
    return outcome
  } catch (error) {
    // Where that fails too, who comes by next does it.
    await attempt.giveUp('failed').catch(() => {})
    throw error
  }
}

class Attempt {
  readonly #parts: MoveParts
  readonly #token: string
  readonly #begun: Placement
  readonly #source: MoveStore
  readonly #destination: MoveStore
  #copy = ''
  #cursor: string | null = null

  constructor(parts: MoveParts, token: string, begun: Placement) {
    this.#parts = parts
    this.#token = token
    this.#begun = begun
    this.#source = movesOf(parts.from)
    this.#destination = movesOf(parts.to)
  }

  async run(): Promise<MoveOutcome> {
    const { key, clock } = this.#parts
    const token = this.#token
    for (let attempts = 0; ; ) {
      const begun = await this.#begin()
      if (begun !== 'begun') return begun
      const chased = await this.#copyAll(Number.POSITIVE_INFINITY)
      if (chased === 'lost') continue
      if (chased !== 'copied') return chased === 'late' ? 'busy' : chased
      const now = clock.now()
      const until = now + FENCE_LEASE_MS
      if ((await this.#source.fence({ key, copy: this.#copy, token, until, now })) === 'lost') continue
      const rest = await this.#copyAll(now + FENCE_MS)
      if (rest === 'copied') {
        if (!(await this.#flip())) return 'overtaken'
        await this.#destination.lift({ key, token, now: clock.now() })
        await this.#source.drop({ key, token, now: clock.now() })
        return 'moved'
      }
      await this.#source.lift({ key, token, now: clock.now() })
      if (rest === 'lost') continue
      if (rest !== 'late') return rest
      attempts += 1
      if (attempts === ATTEMPTS) return 'busy'
    }
  }

  /** Leaves the queue where it is. */
  async giveUp(why: MoveOutcome | 'failed'): Promise<void> {
    const { key, from, placements, clock } = this.#parts
    const token = this.#token
    let placement = await placements.get({ key })
    while (placement !== null && placement.pool === from.name && placement.token === token) {
      await placements.move({ placement, pool: from.name })
      placement = await placements.get({ key })
    }
    // It lies in the other pool after all: the answer was lost.
    if (placement?.token === token) return
    const now = clock.now()
    if (placement?.pool === from.name) await this.#source.lift({ key, token, now })
    // One that failed or was overtaken is gone on with.
    if (why === 'failed' || why === 'overtaken') return
    await this.#source.end({ key, now })
    await this.#destination.drop({ key, token, now })
  }

  /** Says that the queue lies in the other pool. Asks where that did not succeed: the answer may have been lost of one that did. */
  async #flip(): Promise<boolean> {
    const { key, to, placements } = this.#parts
    const token = this.#token
    if ((await placements.move({ placement: this.#begun, pool: to.name, token })) !== null) return true
    const found = await placements.get({ key })
    return found?.pool === to.name && found.token === token
  }

  async #begin(): Promise<'begun' | 'gone' | 'overtaken'> {
    const { key, clock } = this.#parts
    const copy = await this.#source.begin({ key, now: clock.now() })
    if (copy === null) return 'gone'
    const received = await this.#destination.receive({ key, copy, token: this.#token, now: clock.now() })
    if (received === 'occupied') return (await this.#makeRoom()) ? this.#begin() : 'overtaken'
    this.#copy = copy
    this.#cursor = received.cursor
    return 'begun'
  }

  /** Removes a queue that nobody placed where this one is to go, if it is still to go there. */
  async #makeRoom(): Promise<boolean> {
    const { key, from, to, placements, clock } = this.#parts
    const queue = await to.engine.queues.get({ key, now: clock.now() })
    const placement = await placements.get({ key })
    if (placement?.pool !== from.name || placement.token !== this.#token) return false
    if (queue !== null) await to.engine.queues.delete({ queue, now: clock.now() })
    return true
  }

  /** Until a page leaves nothing. `deadline`: of a queue that is fenced. */
  async #copyAll(deadline: number): Promise<'copied' | 'lost' | 'late' | 'overtaken' | 'cancelled'> {
    const { key, clock, signal, onStored } = this.#parts
    const isServing = deadline === Number.POSITIVE_INFINITY
    for (;;) {
      if (signal?.aborted) return 'cancelled'
      const now = clock.now()
      const rate = isServing ? this.#rate() : null
      if (now >= deadline) return 'late'
      const page = await this.#source.read({
        ...{ key, copy: this.#copy, cursor: this.#cursor, now },
        ...{ limit: Math.min(PAGE_RECORDS, rate ?? PAGE_RECORDS), bytes: PAGE_BYTES },
      })
      if (page === 'lost') return 'lost'
      const { records, cursor, left } = page
      const stored = await this.#destination.write({ key, token: this.#token, records, cursor, now: clock.now() })
      if (stored === 'lost') return 'overtaken'
      this.#cursor = cursor
      onStored?.(records.length)
      if (!left) return 'copied'
      if (rate !== null) await this.#restUntil(now + (1000 * records.length) / rate)
    }
  }

  #rate(): number | null {
    return this.#parts.rate?.() ?? null
  }

  /** Unless the move is to end. */
  async #restUntil(until: Instant): Promise<void> {
    const { clock, signal } = this.#parts
    if (until <= clock.now() || signal?.aborted) return
    await new Promise<void>((resolve) => {
      const end = () => {
        timer.cancel()
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = clock.at(until, end)
      signal?.addEventListener('abort', end)
    })
  }
}

/** A pool of an engine that moves nothing never takes part. */
function movesOf({ name, engine }: MovePool): MoveStore {
  if (engine.moves === undefined) throw new Error(`The engine of the pool ${name} cannot move queues`)
  return engine.moves
}

async function findMoving({ engine }: MovePool, key: QueueKey, now: Instant): Promise<QueueMoving | null> {
  try {
    await engine.queues.get({ key, now })
    return null
  } catch (error) {
    if (error instanceof QueueMoving) return error
    throw error
  }
}

export interface Found {
  readonly key: QueueKey
  readonly pool: MovePool
  readonly placements: PlacementStore
  readonly clock: Clock
}

/**
 * For who finds a queue fenced in a pool: ends that, where nobody is at work on it any more. `again`: look again where
 * it lies. `wait`: somebody moves it, and will be done soon.
 */
export async function resolveMoving(
  found: Found,
  { role, token, until }: Pick<QueueMoving, 'role' | 'token' | 'until'>,
): Promise<'again' | 'wait'> {
  const { key, pool, placements, clock } = found
  const moves = movesOf(pool)
  const placement = await placements.get({ key })
  const now = clock.now()
  if (role === 'arriving') {
    const isHere = placement?.pool === pool.name && placement.token === token
    if (isHere) await moves.lift({ key, token, now })
    // Of a move that is under way the copy is nobody's but the mover's.
    else if (placement?.token !== token) await moves.drop({ key, token, now })
    return 'again'
  }
  if (placement?.pool !== pool.name) {
    // It has moved away; the mover may have died before it said so here.
    await moves.drop({ key, token, now })
    return 'again'
  }
  if (placement.target !== null && placement.token === token) {
    if (now < until) return 'wait'
    // After this its mover cannot succeed any more.
    if ((await placements.move({ placement, pool: pool.name })) === null) return 'again'
  }
  await moves.lift({ key, token, now })
  return 'again'
}
