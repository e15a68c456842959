import type { Followers } from './followers.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { Listing, Page } from './listing.ts'
import type { WaitEnd } from './wait-end.ts'

/** Pages, none of them empty; null where there has been none for a while. Has one reader, who awaits each. */
export type PageStream = AsyncIterable<Page | null>

export interface FollowedPagesParts {
  readonly followers: Pick<Followers, 'follow'>
  readonly heartbeats: Heartbeats
  /** Ends the stream, if nobody does so before. Closed when it has ended. */
  waitEnd(): WaitEnd
  /** Told when messages cannot be read, and not again before they could. */
  report(error: unknown): void
}

/** What a listing shows, and then what comes. Nothing is held before somebody reads. */
export function followedPages(listing: Listing, parts: FollowedPagesParts): PageStream {
  return { [Symbol.asyncIterator]: () => new FollowedPages(listing, parts) }
}

type Result = IteratorResult<Page | null>

const OVER: Result = { done: true, value: undefined }

/** However slowly it is read, there is but one page that waits. */
class FollowedPages implements AsyncIterator<Page | null> {
  readonly #listing: Listing
  readonly #parts: FollowedPagesParts
  /** Null before the first page is asked for. */
  #release: (() => void) | null = null
  #answer: ((result: Result) => void) | null = null
  #waiting: { readonly page: Page; taken(): void } | null = null
  #isFailing = false
  #isOver = false

  constructor(listing: Listing, parts: FollowedPagesParts) {
    this.#listing = listing
    this.#parts = parts
  }

  async next(): Promise<Result> {
    if (this.#release === null) this.#start()
    if (this.#isOver) return OVER
    if (this.#waiting === null) return new Promise((resolve) => (this.#answer = resolve))
    const { page, taken } = this.#waiting
    this.#waiting = null
    taken()
    return { value: page }
  }

  async return(): Promise<Result> {
    this.#end()
    return OVER
  }

  #start(): void {
    if (this.#isOver) return
    const { followers, heartbeats, waitEnd, report } = this.#parts
    const following = followers.follow({
      ...this.#listing,
      once: false,
      onPage: (page) => this.#onPage(page),
      onFailure: (error) => this.#onFailure(error),
      onStopped: (error) => {
        report(error)
        this.#end()
      },
    })
    const leave = heartbeats.join(() => this.#give(null))
    const last = waitEnd()
    this.#release = () => {
      following.stop()
      leave()
      last.close()
    }
    last.signal.addEventListener('abort', () => this.#end())
    if (last.signal.aborted) this.#end()
  }

  /** Who keeps up takes each page at once, and so stays with all others who do. */
  #onPage(page: Page): void | Promise<void> {
    this.#isFailing = false
    if (this.#give(page)) return
    return new Promise((taken) => {
      this.#waiting = { page, taken }
    })
  }

  #onFailure(error: unknown): void {
    if (!this.#isFailing) this.#parts.report(error)
    this.#isFailing = true
  }

  /** Whether somebody has asked for it. */
  #give(value: Page | null): boolean {
    const answer = this.#answer
    this.#answer = null
    answer?.({ value })
    return answer !== null
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#release?.()
    this.#waiting?.taken()
    this.#waiting = null
    this.#answer?.(OVER)
    this.#answer = null
  }
}
