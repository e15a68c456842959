/** What lines are written to. */
export interface LineTarget {
  /** Answers how many bytes were taken. May fail; what was not taken is then tried again. */
  write(bytes: Buffer): Promise<number>
  /** Resolves when all that was taken is safe. */
  close(): Promise<void>
}

interface LineReports {
  /** Lines cannot be written at present; said once until it works again. They are held, and tried again each second. */
  failed(error: unknown): void
  /** There is no room for lines any more; said once until there is. */
  full(): void
  /** Lines that found no room, or that were still held when it ended. */
  lost(lines: number): void
}

export interface LineWriterParts {
  readonly target: LineTarget
  readonly reports: LineReports
  /** The line that stands in the place of lost ones. */
  lineOfLost(lines: number): string
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** Characters of lines that wait to be written: some tens of thousands of lines. */
const MOST_HELD = 8 * 1024 * 1024
/** Lines in one write; joining them must not take long. */
const BATCH = 1000
const RETRY_MS = 1000
/** How long the end of the process waits for a target that does not take what is held. */
const LAST_CHANCE_MS = 5000

/**
 * Writes lines in their order, without ever making the caller wait: what the target does not take at once is held, up
 * to a bound, beyond which lines are lost and counted.
 */
export class LineWriter {
  readonly #parts: LineWriterParts
  readonly #ending = new AbortController()
  #held: string[] = []
  #heldLength = 0
  #lost = 0
  #isFailing = false
  #writing: Promise<void> | null = null

  constructor(parts: LineWriterParts) {
    this.#parts = parts
  }

  write(line: string): void {
    if (this.#heldLength + line.length > MOST_HELD) {
      if (this.#lost === 0) this.#parts.reports.full()
      this.#lost++
      return
    }
    this.#held.push(line)
    this.#heldLength += line.length
    this.#writing ??= this.#writeHeld()
  }

  /** Writes what is held. Gives up on a target that takes nothing. */
  async close(): Promise<void> {
    this.#ending.abort()
    const written = new AbortController()
    await Promise.race([this.#writing, this.#parts.pause(LAST_CHANCE_MS, written.signal)])
    written.abort()
    const left = this.#lost + this.#held.length
    if (left > 0) this.#parts.reports.lost(left)
    // Whoever hangs in a write would hang in this as well.
    if (this.#writing === null) await this.#parts.target.close().catch((error) => this.#parts.reports.failed(error))
  }

  async #writeHeld(): Promise<void> {
    // Lines of the same turn go together.
    await null
    while (this.#held.length > 0) {
      const lines = this.#held.slice(0, BATCH)
      if (!(await this.#writeWhole(Buffer.from(`${lines.join('\n')}\n`)))) break
      this.#held.splice(0, lines.length)
      for (const { length } of lines) this.#heldLength -= length
      this.#tellLost()
    }
    this.#writing = null
  }

  /** In the place where they would have been: after all that had found room before. */
  #tellLost(): void {
    if (this.#lost === 0 || this.#held.length > 0) return
    this.#parts.reports.lost(this.#lost)
    const line = this.#parts.lineOfLost(this.#lost)
    this.#lost = 0
    this.#held.push(line)
    this.#heldLength += line.length
  }

  /** False when it gave up. */
  async #writeWhole(bytes: Buffer): Promise<boolean> {
    for (let written = 0; written < bytes.length; ) {
      try {
        written += await this.#parts.target.write(bytes.subarray(written))
        this.#isFailing = false
      } catch (error) {
        if (!this.#isFailing) this.#parts.reports.failed(error)
        this.#isFailing = true
        if (this.#ending.signal.aborted) return false
        await this.#parts.pause(RETRY_MS, this.#ending.signal)
      }
    }
    return true
  }
}
