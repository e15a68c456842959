import type { Storage } from 'zaqar/storage'
import type { ManualClock } from './clock.ts'

/** What the author of an engine brings to the kit. */
export interface Harness {
  readonly abilities: Abilities
  /** Opens a fresh, empty store whose clients take their timers and the time from `clock`. */
  open(clock: ManualClock): Promise<OpenedStore>
}

/** What an engine can do beyond the contract. Cases that need an ability are skipped, visibly, where it is missing. */
export interface Abilities {
  /** What was answered is still there after `reopen`. */
  readonly survivesReopen: boolean
  /** `openSecondClient` gives another client of the same store, as another node would have. */
  readonly severalClients: boolean
  /** `failNeighbour` makes a move fail in the midst of others. */
  readonly failingNeighbours: boolean
}

export interface OpenedStore {
  readonly storage: Storage
  /** Opens the same store once more after its clients were closed. Needed for `survivesReopen`. */
  reopen?(): Promise<Storage>
  /** Opens another client of the same store, with its own connections. Needed for `severalClients`. */
  openSecondClient?(): Promise<Storage>
  /**
   * Starts a move that fails, by a fault that the engine meets only while it runs the move: so that those which were started in the
   * same turn of the event loop share its failure, as far as they share anything. Its promise rejects. Needed for `failingNeighbours`.
   */
  failNeighbour?(storage: Storage): Promise<unknown>
  /** Removes the store. The kit has closed its clients by then; it leaves a store undropped when a test on it failed. */
  drop(): Promise<void>
}
