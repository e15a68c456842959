import type { DatabaseSync } from 'node:sqlite'
import { StorageUnavailable } from '../contract.ts'
import type { EngineFigures } from '../engine-figures.ts'
import { asStorageError } from './database.ts'

/**
 * A move answers this after a slice of its work that is worth committing, to be called again in a later turn with what
 * it found so far; with nothing, when the store shows how far it came.
 */
export class Unfinished<S = undefined> {
  readonly soFar: Readonly<S> | undefined

  constructor(soFar?: Readonly<S>) {
    this.soFar = soFar
  }
}

/**
 * One atomic piece of work, or a slice of it. It may be run again when the turn it ran in had to be rolled back, and
 * then gets again what it got before: `soFar` comes from the last slice that was committed, and is undefined for the
 * first. So a move keeps nothing anywhere else, and leaves `soFar` as it is.
 */
export type Move<T, S = undefined> = (soFar: Readonly<S> | undefined) => T | Unfinished<S>

interface Waiting {
  readonly move: (soFar: unknown) => unknown
  soFar: unknown
  readonly newBytes: number
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
}

export interface TurnHooks {
  /** Why nothing new can be stored, or null. */
  refusalOfNew(): StorageUnavailable | null
  /** Inside the transaction, after the last move. */
  beforeCommit(): void
  /** Must not throw: what happened is committed, and others wait for the next turn. */
  afterCommit(): void
  /** Whatever was remembered of the store may be wrong now. */
  afterRollback(error: unknown): void
}

/** Bounds how long one turn keeps the event loop. */
const MOVES_PER_TURN = 256
/** Also bounds the log of one turn, for which there is a reserve when the disk is full. */
const NEW_BYTES_PER_TURN = 4 << 20

/**
 * Group commit: all moves that arrive in one turn of the event loop share one transaction, and are answered after its
 * commit. When one of them fails, the transaction is rolled back and each is run again in a transaction of its own, so
 * that only the failing one is refused. That is rare, and costs the good case nothing, where a savepoint for each move
 * would.
 */
export class Turns {
  readonly #hooks: TurnHooks
  readonly #figures: EngineFigures
  readonly #db: DatabaseSync
  readonly #begin
  readonly #commit
  readonly #rollback
  #waiting: Waiting[] = []
  /** Of all that wait. */
  #newBytes = 0
  #scheduled = false
  #closed = false
  #idle: (() => void)[] = []

  constructor(db: DatabaseSync, hooks: TurnHooks, figures: EngineFigures) {
    this.#db = db
    this.#hooks = hooks
    this.#figures = figures
    figures.waiting = () => this.#waiting.length
    this.#begin = db.prepare('BEGIN')
    this.#commit = db.prepare('COMMIT')
    this.#rollback = db.prepare('ROLLBACK')
  }

  /** `newBytes`: about how much the move wants stored that was not there before, where that is its purpose. */
  submit<T, S = undefined>(move: Move<T, S>, newBytes = 0): Promise<T> {
    if (this.#closed) return Promise.reject(new StorageUnavailable('The storage is closed'))
    return new Promise<T>((resolve, reject) => {
      this.#wait({ move: move as Waiting['move'], soFar: undefined, newBytes, resolve, reject })
      this.#schedule()
    })
  }

  /** Refuses further moves; resolves when those under way are done. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#turn()
      if (this.#waiting.length > 0) this.#schedule()
      else for (const resolve of this.#idle.splice(0)) resolve()
    })
  }

  #turn(): void {
    const taken = this.#take()
    const refusal = this.#hooks.refusalOfNew()
    const group = refusal === null ? taken : taken.filter((one) => !refuseNew(one, refusal))
    let answers: unknown[]
    try {
      answers = this.#transact(group)
    } catch {
      for (const one of group) this.#runAlone(one)
      return
    }
    this.#finish(group, answers)
  }

  #runAlone(one: Waiting): void {
    const refusal = this.#hooks.refusalOfNew()
    if (refusal !== null && refuseNew(one, refusal)) return
    let answers: unknown[]
    try {
      answers = this.#transact([one])
    } catch (error) {
      one.reject(asStorageError(error))
      return
    }
    this.#finish([one], answers)
  }

  #wait(one: Waiting): void {
    this.#waiting.push(one)
    this.#newBytes += one.newBytes
  }

  #take(): Waiting[] {
    const all = this.#waiting
    if (all.length <= MOVES_PER_TURN && this.#newBytes <= NEW_BYTES_PER_TURN) {
      this.#waiting = []
      this.#newBytes = 0
      return all
    }
    let [count, newBytes] = [0, 0]
    while (count < MOVES_PER_TURN && count < all.length && newBytes <= NEW_BYTES_PER_TURN) {
      newBytes += (all[count] as Waiting).newBytes
      count += 1
    }
    this.#newBytes -= newBytes
    return all.splice(0, count)
  }

  #transact(group: readonly Waiting[]): unknown[] {
    const begun = this.#figures.elapsed()
    this.#begin.run()
    try {
      const answers = group.map((waiting) => waiting.move(waiting.soFar))
      this.#hooks.beforeCommit()
      this.#commit.run()
      this.#figures.committed(group.length, begun)
      return answers
    } catch (error) {
      this.#figures.failed += 1
      // Some errors have ended the transaction already.
      if (this.#db.isTransaction) this.#rollback.run()
      this.#hooks.afterRollback(error)
      throw error
    }
  }

  #finish(group: readonly Waiting[], answers: readonly unknown[]): void {
    // Unfinished ones go behind those that wait, or one would keep the others from their turn.
    group.forEach((waiting, i) => {
      const answer = answers[i]
      if (answer instanceof Unfinished) {
        waiting.soFar = answer.soFar
        this.#wait(waiting)
      } else waiting.resolve(answer as never)
    })
    this.#hooks.afterCommit()
  }
}

/** False when it wants nothing new. */
function refuseNew({ newBytes, reject }: Waiting, refusal: StorageUnavailable): boolean {
  if (newBytes === 0) return false
  reject(refusal)
  return true
}
