import type { Abilities, QueueEngine, Storage } from 'zaqar/storage'
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
  /**
   * Removes the store. The kit has closed its clients by then; it leaves a store undropped when a test on it failed.
   */
  drop(): Promise<void>
}
