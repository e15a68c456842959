import { BadRequest } from 'zaqar-client/http'

/** Bodies of 256 KiB, so many times, are an answer that the client still reads. */
const MOST = 100

/** How many items a page of one kind of listing may have: operators set it, 20 is usual, and only a refusal tells. */
export class PageLimit {
  #limit: number

  constructor(most = MOST) {
    this.#limit = Math.min(most, MOST)
  }

  /** Asks by `list` for a page, again where it was too long. @throws what `list` throws else */
  async ask<Answer>(list: (limit: number) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      try {
        return await list(this.#limit)
      } catch (error) {
        const allowed = error instanceof BadRequest ? lastNumberIn(error.description) : 0
        if (allowed < 1 || allowed >= this.#limit) throw error
        this.#limit = allowed
      }
    }
  }
}

/** "Limit must be at least 1 and no greater than 20." */
function lastNumberIn(text: string): number {
  return Number(text.match(/\d+/g)?.at(-1) ?? 0)
}
