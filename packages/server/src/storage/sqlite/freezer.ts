import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock, Timer } from '../../platform/clock.ts'
import { StorageUnavailable } from '../contract.ts'
import type { Room } from './room.ts'

/** The log must not become longer, in bytes: all of it goes into the file at once afterwards, and moves wait for that. */
const LONGEST_LOG = 256 << 20
/** The disk keeps so much room beside what the log would add to the file, in bytes. */
const LEAST_FREE = 64 << 20
const LOOK_EVERY_MS = 250

/** A file that stays as it is. */
export interface Frozen {
  /** Of the file. */
  readonly bytes: number
  /** The file may change again. Answers whether it has stayed as it was until now. */
  thaw(): boolean
}

/**
 * Keeps the file as it is for a while, so that another process can copy it: what is written meanwhile stays in the log. A
 * copy of the file is then the store as it was at one instant. (docs/decisions/backup.md)
 */
export class Freezer {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #room: Room
  readonly #clock: Clock
  #end: ((why: string | null) => void) | null = null

  constructor(db: DatabaseSync, path: string, room: Room, clock: Clock) {
    this.#db = db
    this.#path = path
    this.#room = room
    this.#clock = clock
    room.beforeShort = () => this.#end?.('the disk is full')
  }

  /**
   * `broken` is told why the file does not stay as it is any longer, unless it was thawed.
   * @throws StorageUnavailable when it cannot be now
   */
  freeze(broken: (why: string) => void): Frozen {
    if (this.#end !== null) throw new StorageUnavailable('Another backup is being made')
    if (this.#room.isShort)
      throw new StorageUnavailable('The disk is full: there is no room for what is written meanwhile')
    this.#emptyLog()
    const why = this.#whyNot()
    if (why !== null) throw new StorageUnavailable(why)
    this.#db.exec('PRAGMA wal_autocheckpoint = 0')
    let timer: Timer
    const end = (why: string | null) => {
      this.#end = null
      timer.cancel()
      this.#room.limitLog()
      if (why !== null) broken(why)
      try {
        // Rather now than when somebody waits for a write.
        this.#emptyLog()
      } catch {
        // Commits try it again.
      }
    }
    const look = () => {
      const why = this.#whyNot()
      if (why !== null) end(why)
      else timer = this.#clock.at(this.#clock.now() + LOOK_EVERY_MS, look)
    }
    timer = this.#clock.at(this.#clock.now() + LOOK_EVERY_MS, look)
    this.#end = end
    return {
      bytes: statSync(this.#path).size,
      thaw: () => {
        if (this.#end !== end) return false
        end(null)
        return true
      },
    }
  }

  /** Before the store is closed. */
  close(): void {
    this.#end?.('the service ends')
  }

  /** Why the log must not become longer, or null. */
  #whyNot(): string | null {
    const log = statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0
    if (log > LONGEST_LOG) return 'so much was written meanwhile that the log became too long'
    if (this.#room.free < log + LEAST_FREE) return 'the disk has little room left'
    return null
  }

  /** Into the file. @throws StorageUnavailable, or the error of SQLite, when some is left */
  #emptyLog(): void {
    const { busy } = this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
    if (busy !== 0) throw new StorageUnavailable('The log of the store is being read')
  }
}
