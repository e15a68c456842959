import type { QueueKey } from '../../model/model.ts'
import type { Follower, Followers, Following } from '../followers.ts'
import type { Page } from '../listing.ts'
import type { ParsedBodies } from '../parsed-bodies.ts'
import type { Filter } from '../rules/filter.ts'
import type { ConnectionPush, PushSource } from './connection-push.ts'

export interface FollowParts {
  readonly followers: Followers
  readonly bodies: ParsedBodies
  onPushed(messages: number): void
  /** Messages could not be read; they will be. */
  onFailure(error: unknown): void
  /** It cannot go on, for this. */
  onBroken(push: ConnectionPush, error: unknown): void
  onMissed(push: ConnectionPush): void
}

/** Messages of a page: small, so that a slow connection holds little. */
const PAGE = 50

/** Follows the queue, from where it stands. */
export class FollowSource implements PushSource, Follower {
  readonly limit = PAGE
  readonly hideClientId = null
  readonly includeClaimed = true
  readonly includeDelayed = 'never'
  readonly includeGone = true
  readonly withMarkers = true
  readonly once = false
  readonly sharesPages = true
  /** Everything up to here has been pushed. */
  after: string | null
  readonly #push: ConnectionPush
  readonly #parts: FollowParts
  #following: Following | null = null
  /** A page is being taken. */
  #isTaking = false

  constructor(push: ConnectionPush, after: string | null, parts: FollowParts) {
    this.#push = push
    this.after = after
    this.#parts = parts
  }

  get key(): QueueKey {
    return this.#push.key
  }

  start(): void {
    if (!this.#isTaking) this.#follow()
  }

  stop(): void {
    this.#following?.stop()
    this.#following = null
  }

  onPage(page: Page): void | Promise<void> {
    const { filter } = this.#push
    const shown = filter === null ? page : this.#filtered(page, filter)
    const taking = shown instanceof Promise ? shown.then((some) => this.#hand(page, some)) : this.#hand(page, shown)
    if (!(taking instanceof Promise)) return
    this.#isTaking = true
    return taking.finally(() => {
      this.#isTaking = false
      // It was stopped, and started again, meanwhile.
      if (this.#following === null && this.#push.mayPush()) this.#follow()
    })
  }

  onFailure(error: unknown): void {
    this.#parts.onFailure(error)
  }

  onStopped(error: unknown): void {
    this.#following = null
    this.#parts.onBroken(this.#push, error)
  }

  onMissed(): void {
    this.#parts.onMissed(this.#push)
  }

  #follow(): void {
    this.#following = this.#parts.followers.follow(this)
  }

  #hand(page: Page, shown: Page): void | Promise<void> {
    if (!this.#push.mayPush()) return
    this.after = page.marker
    if (shown.messages.length === 0) return
    this.#parts.onPushed(shown.messages.length)
    return this.#push.receiver.onPage(this.#push, shown)
  }

  #filtered(page: Page, filter: Filter): Page | Promise<Page> {
    const { messages } = page
    const matches = messages.map((message) => this.#parts.bodies.match(filter, message))
    const keep = (isKept: readonly boolean[]) => ({ ...page, messages: messages.filter((_, i) => isKept[i]) })
    return matches.some((match) => match instanceof Promise)
      ? Promise.all(matches).then(keep)
      : keep(matches as boolean[])
  }
}
