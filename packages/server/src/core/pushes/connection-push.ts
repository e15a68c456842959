import type { Instant, QueueKey, Subscription } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Push, Receiver } from '../receiver.ts'
import type { Filter } from '../rules/filter.ts'
import { readSubscriptionOptions } from '../rules/subscription-options.ts'
import type { Deadlines, Timed } from './deadlines.ts'

/** What brings the messages of a push. */
export interface PushSource {
  start(): void
  /** With a promise it has stopped when that resolves, and brings nothing meanwhile. May be called again. */
  stop(): void | Promise<void>
}

export interface PushTerms {
  readonly receiver: Receiver
  readonly key: QueueKey
  readonly subscription: Subscription
  /** When the credentials of whoever made it end; null: they do not. */
  readonly credentialsEnd: Instant | null
}

export interface PushHooks {
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly requiresConfirmation: boolean
  /** The time of its subscription is over by what is known of it. */
  onRowDue(push: ConnectionPush): void
  onCredentialsEnd(push: ConnectionPush): void
}

/**
 * A subscription whose messages go to a connection: whether anything is pushed, which follows from the subscription as
 * it was seen last, and from the credentials.
 */
export class ConnectionPush implements Push, Timed {
  readonly id: string
  readonly key: QueueKey
  readonly receiver: Receiver
  withIds = false
  /** Null: everything is pushed. */
  filter: Filter | null = null
  readonly #hooks: PushHooks
  readonly #source: PushSource
  #options: string | null = null
  #isConfirmed = false
  #rowEnd: Instant = 0
  #credentialsEnd: Instant
  #hasBegun = false
  #hasEnded = false
  #isOn = false

  constructor(
    { receiver, key, subscription, credentialsEnd }: PushTerms,
    openSource: (push: ConnectionPush) => PushSource,
    hooks: PushHooks,
  ) {
    this.id = subscription.id
    this.key = key
    this.receiver = receiver
    this.#hooks = hooks
    this.#credentialsEnd = credentialsEnd ?? Number.POSITIVE_INFINITY
    this.#source = openSource(this)
    this.apply(subscription)
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Nothing is pushed before. */
  begin(): void {
    this.#hasBegun = true
    this.#settle()
  }

  /** The subscription is like this now. */
  apply({ options, confirmed, renewedAt, ttlSeconds }: Subscription): void {
    if (options !== this.#options) {
      const { withIds, filter } = readSubscriptionOptions(options)
      this.#options = options
      this.withIds = withIds
      this.filter = filter
    }
    this.#isConfirmed = confirmed
    this.#rowEnd = renewedAt + ttlSeconds * 1000
    this.#noteEnd()
  }

  /** Whoever made it has shown others, which end then. */
  renewCredentials(end: Instant | null): void {
    this.#credentialsEnd = end ?? Number.POSITIVE_INFINITY
    this.#noteEnd()
  }

  /** Whether something may be pushed at this moment. One whose time is over is stopped by the question. */
  mayPush(): boolean {
    const now = this.#hooks.clock.now()
    if (this.#isOn && now >= this.#end) this.onTime(now)
    return this.#isOn
  }

  onTime(now: Instant): void {
    if (this.#hasEnded) return
    this.#settle()
    if (now >= this.#credentialsEnd) this.#hooks.onCredentialsEnd(this)
    else if (now >= this.#rowEnd) this.#hooks.onRowDue(this)
  }

  /** Nothing is pushed any more; what is under way has ended when it resolves. */
  async end(): Promise<void> {
    this.#hasEnded = true
    this.#hooks.deadlines.delete(this)
    this.#isOn = false
    await this.#source.stop()
  }

  get #end(): Instant {
    return Math.min(this.#rowEnd, this.#credentialsEnd)
  }

  #noteEnd(): void {
    if (this.#hasEnded) return
    this.#hooks.deadlines.set(this, this.#end)
    this.#settle()
  }

  #settle(): void {
    const { clock, requiresConfirmation } = this.#hooks
    const isLive = this.#hasBegun && !this.#hasEnded && clock.now() < this.#end
    const shouldBeOn = isLive && (this.#isConfirmed || !requiresConfirmation)
    if (shouldBeOn === this.#isOn) return
    this.#isOn = shouldBeOn
    if (shouldBeOn) this.#source.start()
    else void this.#source.stop()
  }
}
