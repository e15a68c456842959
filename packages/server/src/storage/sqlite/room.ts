import type { DatabaseSync } from 'node:sqlite'
import { StorageFull } from '../contract.ts'
import { isFull } from './database.ts'
import type { ReserveFile } from './reserve-file.ts'

const PAGE = 4096
/**
 * Bytes of the reserve: two thirds for what the log holds and the file has no pages for yet, the rest for what is
 * claimed.
 */
const RESERVE = 24 << 20
/** Of what is free, on a small disk. */
const SHARE_OF_DISK = 1 / 8
const LEAST_RESERVE = 16 * PAGE
/** 16 MiB of log: fewer checkpoints, so fewer moves that wait for one. */
const LOG_PAGES = 4000
const LOG_PAGES_WHEN_SHORT = 64
/** Pages that are claimed for consumers: so many at the most and at the least, and in between a share of the store. */
const MOST_CLAIMED = 1024
const LEAST_CLAIMED = 16
const CLAIMED_SHARE = 1 / 8
/** SQLite's own limit. */
const ANY_PAGES = 4_294_967_294

/**
 * Keeps a store whose disk is full from being stuck: to remove a message takes room too, in the log. A file beside the
 * store holds some. When the disk is full it is given up, and before anybody else has that room the log and the file
 * take what consumers need. From then on the file does not grow, and nothing new is taken until enough has been
 * removed, or the disk has room again. (docs/decisions/full-disk.md)
 */
export class Room {
  readonly #db: DatabaseSync
  readonly #reserve: ReserveFile
  /** Bytes that the reserve should hold. */
  readonly #wanted: number
  readonly #freePages
  readonly #allPages
  /** Called before the log goes into the file because the disk is full. */
  beforeShort: () => void = () => {}
  #isShort = false
  #claimedPages = 0

  constructor(db: DatabaseSync, reserve: ReserveFile) {
    this.#db = db
    this.#reserve = reserve
    this.#freePages = db.prepare('SELECT freelist_count AS pages FROM pragma_freelist_count')
    this.#allPages = db.prepare('SELECT page_count AS pages FROM pragma_page_count')
    const share = Math.floor((reserve.free + reserve.size) * SHARE_OF_DISK)
    this.#wanted = Math.max(LEAST_RESERVE, reserve.size, Math.min(RESERVE, share))
    reserve.fill(this.#wanted)
    this.limitLog()
  }

  /** Whether the disk is full. */
  get isShort(): boolean {
    return this.#isShort
  }

  /** Bytes of the disk that this user may still fill. */
  get free(): number {
    return this.#reserve.free
  }

  /** Why nothing new can be stored now, or null. Costs nothing while the disk has room. */
  refusalOfNew(): StorageFull | null {
    if (!this.#isShort || this.#hasFreePages() || this.#isOver()) return null
    return new StorageFull('The disk is full: nothing new is stored until enough has been removed')
  }

  /** To be told what a transaction failed with, after it was rolled back. */
  failed(error: unknown): void {
    if (!isFull(error)) return
    if (this.#isShort) this.#ifThereIsRoom('PRAGMA wal_checkpoint(RESTART)')
    else this.#giveUpReserve()
  }

  /** How long the log becomes: as the reserve has room for. */
  limitLog(): void {
    const pages = Math.floor(((this.#reserve.size / PAGE) * 2) / 3)
    this.#db.exec(`PRAGMA wal_autocheckpoint = ${pages === 0 ? LOG_PAGES_WHEN_SHORT : Math.min(LOG_PAGES, pages)}`)
  }

  #giveUpReserve(): void {
    this.beforeShort()
    this.#isShort = true
    this.#claimedPages = Math.min(MOST_CLAIMED, Math.max(LEAST_CLAIMED, count(this.#allPages) * CLAIMED_SHARE))
    this.#reserve.remove()
    // The file gets what the log holds, so that the log is written from its beginning again. What is put into both then
    // leaves room in the log, and free pages in the file.
    this.#ifThereIsRoom(`
      PRAGMA wal_autocheckpoint = ${LOG_PAGES_WHEN_SHORT};
      PRAGMA wal_checkpoint(RESTART);
      CREATE TABLE IF NOT EXISTS room (bytes BLOB);
      INSERT INTO room VALUES (zeroblob(${Math.floor(this.#claimedPages) * PAGE}));
      PRAGMA wal_checkpoint(RESTART);
      DROP TABLE room;
      PRAGMA wal_checkpoint(RESTART)`)
    this.#db.exec(`PRAGMA max_page_count = ${count(this.#allPages)}`)
  }

  /** After the store was closed: SQLite has removed the log, and the next start may need the room that it had. */
  close(): void {
    if (this.#isShort) this.#reserve.fill(Math.min(this.#wanted, this.#reserve.free))
  }

  #ifThereIsRoom(statements: string): void {
    try {
      this.#db.exec(statements)
    } catch {
      // There is none, not even for that. The next move that fails leads here again.
    }
  }

  /** Besides those that consumers need. */
  #hasFreePages(): boolean {
    return count(this.#freePages) > 2 * this.#claimedPages
  }

  /** Whether the disk has room for the reserve again, and for as much beside it. */
  #isOver(): boolean {
    if (this.#reserve.free < 2 * this.#wanted || !this.#reserve.fill(this.#wanted)) return false
    this.#isShort = false
    this.#db.exec(`PRAGMA max_page_count = ${ANY_PAGES}`)
    this.limitLog()
    return true
  }
}

function count(pages: { get(): unknown }): number {
  return (pages.get() as { pages: number }).pages
}
