import type { Abilities, QueueEngine, QueueKey, Storage } from 'zaqar/storage'
import type { ManualClock } from './clock.ts'

/** What the author of an engine brings to the kit. */
export interface Harness {
  /** Those that the engine's module exports. Cases that need one are skipped, visibly, where it is missing. */
  readonly abilities: Abilities
  /** Opens a fresh, empty store whose clients take their timers and the time from `clock`. */
  open(clock: ManualClock): Promise<OpenedStore>
  /**
   * Starts a move that fails, by a fault that the engine meets only while it runs the move: so that those which were
   * started in the same turn of the event loop share its failure, as far as they share anything. Its promise rejects.
   * Cases that need it are skipped where it is missing.
   */
  failNeighbour?(storage: Storage, clock: ManualClock): Promise<unknown>
  /**
   * Opens another store, an empty one, to which queues of the first can move: what was handed out there is good here.
   * Needed for the cases of `moves`, which are skipped where it is missing.
   */
  openPeer?(first: Storage, clock: ManualClock): Promise<OpenedStore>
}

export interface OpenedStore {
  /** A `Storage`, unless the engine keeps no registry. */
  readonly storage: QueueEngine | Storage
  /** Opens the same store once more after its clients were closed. Needed for `survivesReopen`. */
  reopen?(): Promise<QueueEngine | Storage>
  /**
   * Opens another client of the same store, with its own connections, as another node would have it. Needed for
   * `severalProcesses`.
   */
  openSecondClient?(): Promise<QueueEngine | Storage>
  /** Where the store has several parts, each of which keeps some of the queues: what may befall them. */
  readonly parts?: StoreParts
  /**
   * Removes the store. The kit has closed its clients by then; it leaves a store undropped when a test on it failed.
   */
  drop(): Promise<void>
}

/** What befalls parts of a store while it is used. It changes no answer, but that of a part which fails there may be none. */
export interface StoreParts {
  /** How many there are. */
  readonly count: number
  /** The number of the part where the queue lies; null where it lies in none. */
  partOf(key: QueueKey): Promise<number | null>
  /** Takes the queue to another part. Resolves when that is done, or was refused. */
  move(key: QueueKey): Promise<void>
  /** Takes all queues of the part to others, as far as those do not fail. */
  drain(part: number): Promise<void>
  /** From now on whatever is asked of the part is refused, and does nothing. */
  fail(part: number): void
  /** The part serves again. Resolves when what has waited for it is done. */
  recover(): Promise<void>
  /** A part that serves again is asked again after so long, by everybody. */
  readonly noticedMilliseconds: number
}
