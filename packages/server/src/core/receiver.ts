import type { Claim, Instant, QueueKey } from '../model/model.ts'
import type { Page } from './listing.ts'

/** A connection to which messages are pushed, as `Pushes` sees it. */
export interface Receiver {
  /** Names the connection, in the subscriber of its subscriptions too: `websocket:ID`. */
  readonly id: string
  /**
   * Takes messages of a subscription, never an empty page. With a promise, it gets no more of that subscription before
   * this resolves; it should be soon, since what is removed from the queue is kept for a minute or so. Must not
   * throw. A page that goes to several receivers is the same object for all of them, unless a filter has taken
   * messages out; its messages always are.
   */
  onPage(push: Push, page: Page): void | Promise<void>
  /** Takes messages that were claimed for it. Must not throw. */
  onClaim(push: Push, claim: Claim, now: Instant): void
  /**
   * The subscription has ended, since some messages may not have been seen before they were removed: nothing could be
   * read for too long (`GONE_MS`), too much was removed, or this process failed. What is left comes again behind the
   * marker that it has. Must not throw.
   */
  onMissed(push: Push): void
}

/** A subscription whose messages go to a connection of this process. */
export interface Push {
  /** Of the subscription. */
  readonly id: string
  readonly key: QueueKey
  /** Whether messages are shown with their ids and markers (option `_with_ids`), as it is now. */
  readonly withIds: boolean
}
