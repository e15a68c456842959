import {
  type Attempt,
  type Attempts,
  printAttempts,
  printLogged,
  readAttempts,
  withAttempt,
} from '../core/rules/attempts.ts'
import { retryDelays, selectRetryPolicy } from '../core/rules/retry-policy.ts'
import { readSubscriptionOptions, type SubscriptionOptions } from '../core/rules/subscription-options.ts'
import { parseJson } from '../model/json.ts'
import { membersOf } from '../model/members.ts'
import type { Health, Instant, Notification, Queue, Subscription } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'
import type { Batch, Lease, Outcome, QueueEngine } from '../storage/contract.ts'
import type { Answer } from './channel.ts'
import { afterAttempt, givesUpAt, isPaused, nextAttemptAt } from './health.ts'
import type { ParsedBodies } from './parsed-bodies.ts'
import type { Slots } from './slots.ts'

/** What goes to a receiver in one request or mail. */
export interface Parcel {
  readonly queue: Queue
  readonly subscription: Subscription
  readonly options: SubscriptionOptions
  /** Several only where the options want batches; never empty. */
  readonly notifications: readonly Notification[]
}

interface DeliveryTerms {
  /** How long a lease goes on without a word, in seconds: longer than any try. */
  readonly leaseSeconds: number
  /** The longest that one try takes, in seconds. */
  readonly longestTrySeconds: number
  /** How many records are kept of a subscription, and how long those of failures, in seconds. */
  readonly keep: { readonly log: number; readonly failures: number; readonly failureSeconds: number }
  /** Whether only confirmed subscriptions are told of messages. */
  readonly requiresConfirmation: boolean
}

export interface DeliverParts {
  readonly storage: Pick<QueueEngine, 'deliveries' | 'subscriptions'>
  readonly clock: Clock
  readonly slots: Slots
  readonly bodies: ParsedBodies
  readonly terms: DeliveryTerms
  /** The part of a subscriber's URI that tells whom it keeps busy. */
  hostOf(subscriber: string): string
  send(parcel: Parcel, signal: AbortSignal): Promise<Answer>
  /** The receiver wants no more: the subscription goes, with all that hangs on it. */
  endSubscription(lease: Lease): Promise<void>
  /** No try begins any more. */
  readonly stopping: AbortSignal
  /** Tries under way end. */
  readonly aborted: AbortSignal
}

/** How much of what a subscription is owed is taken at once; a node holds as much for each that it delivers to. */
export const BATCH: Batch = { notifications: 100, bytes: 256 * 1024 }
/** What was delivered is settled at the latest so long after, in milliseconds: a crash repeats no more than that. */
const UNSETTLED_MS = 100
/** For whom no slot was free, tries again after about so long, in milliseconds. */
const NO_SLOT_REST_MS = 5_000

/** What came of a part of a lease. */
interface Round {
  readonly outcomes: Outcome[]
  readonly log: string[]
  health: Health | null
  /** Set where the lease ends with it: until when the subscription is left alone, or null. */
  rest: { readonly until: Instant | null } | null
}

/** The notifications from one on that are dealt with together. */
interface Span {
  readonly all: readonly Notification[]
  /** Those that the receiver wants; they go to it in one parcel. */
  readonly wanted: readonly Notification[]
  /** When the parcel goes though it is not full. */
  readonly waitsUntil: Instant
}

/**
 * Delivers what a leased subscription is owed, in order, until there is nothing more for now.
 * @throws StorageUnavailable when it cannot be said what became of it. The lease ends by itself then, and what was
 * delivered since it was last said is delivered once more.
 */
export async function deliver(lease: Lease, parts: DeliverParts): Promise<void> {
  const { storage, clock, terms } = parts
  const delivery = new Delivery(lease, parts)
  let { notifications, endsAt } = lease
  let { health } = lease.subscription
  while (notifications.length > 0) {
    const round = await delivery.deliverSome(notifications, endsAt, health)
    if (round === 'ended') return
    const settled = await storage.deliveries.settle({
      lease,
      outcomes: round.outcomes,
      log: round.log,
      keep: terms.keep,
      health: round.health,
      next: round.rest === null ? { seconds: terms.leaseSeconds, batch: BATCH } : null,
      restsUntil: round.rest?.until ?? null,
      now: clock.now(),
    })
    if (settled === 'lost') return
    health = round.health
    notifications = settled.notifications
    endsAt = settled.endsAt
  }
}

class Delivery {
  readonly #lease: Lease
  readonly #parts: DeliverParts
  readonly #options: SubscriptionOptions
  /** Seconds to wait before each further try. */
  readonly #delays: readonly number[]

  constructor(lease: Lease, parts: DeliverParts) {
    this.#lease = lease
    this.#parts = parts
    this.#options = readSubscriptionOptions(lease.subscription.options)
    const ofQueue = membersOf(lease.queue.metadata).get('_retry_policy')
    this.#delays = retryDelays(selectRetryPolicy(this.#options.retryPolicy, ofQueue && parseJson(ofQueue)))
  }

  /** As many as are to be settled together, from the first on. 'ended': there is no subscription any more. */
  async deliverSome(
    notifications: readonly Notification[],
    leaseEndsAt: Instant,
    health: Health | null,
  ): Promise<Round | 'ended'> {
    const { clock, stopping, terms } = this.#parts
    const begun = clock.now()
    const round: Round = { outcomes: [], log: [], health, rest: null }
    for (let next = 0; next < notifications.length && round.rest === null; ) {
      const now = clock.now()
      const isLate = leaseEndsAt - now <= terms.longestTrySeconds * 1000
      if (next > 0 && (isLate || now - begun >= UNSETTLED_MS)) return round
      if (stopping.aborted) return rest(round, null)
      const span = await this.#spanFrom(notifications, next)
      if (span.wanted.length === 0) for (const { ref } of span.all) round.outcomes.push({ ref, became: 'done' })
      else if (span.waitsUntil > now) return rest(round, span.waitsUntil)
      else if (isPaused(round.health, now)) this.#giveUp(span, round, now)
      else {
        const said = await this.#tell(span, round)
        if (said !== 'on') return said === 'ended' ? 'ended' : round
      }
      next += span.all.length
    }
    return round
  }

  async #spanFrom(notifications: readonly Notification[], first: number): Promise<Span> {
    const { batch } = this.#options
    const most = batch?.messages ?? 1
    const [all, wanted]: [Notification[], Notification[]] = [[], []]
    let bytes = 0
    let isCut = false
    for (let i = first; i < notifications.length && wanted.length < most && !isCut; i++) {
      const notification = notifications[i] as Notification
      const isAnnouncement = notification.content.kind === 'announcement'
      if (isAnnouncement && all.length > 0) isCut = true
      else {
        all.push(notification)
        if (await this.#wants(notification)) wanted.push(notification)
        if (notification.content.kind === 'message') bytes += Buffer.byteLength(notification.content.message.body)
        isCut = isAnnouncement || wanted.length === 0
      }
    }
    const isFull = isCut || wanted.length === most || bytes >= BATCH.bytes
    const waitsUntil = isFull ? 0 : (wanted[0]?.since ?? 0) + (batch?.seconds ?? 0) * 1000
    return { all, wanted, waitsUntil }
  }

  async #wants({ content }: Notification): Promise<boolean> {
    if (content.kind === 'announcement') return true
    if (this.#parts.terms.requiresConfirmation && !this.#lease.subscription.confirmed) return false
    const { filter } = this.#options
    return filter === null || filter(await this.#parts.bodies.get(content.message))
  }

  /** What has waited for a receiver that is paused for as long as its retries would have taken fails at last. */
  #giveUp({ all, wanted }: Span, round: Round, now: Instant): void {
    const pausedUntil = round.health?.pausedUntil ?? now
    if (wanted.some(({ since }) => givesUpAt(since, this.#delays) > now)) {
      rest(round, pausedUntil)
      return
    }
    for (const notification of all) {
      round.outcomes.push(
        wanted.includes(notification)
          ? this.#failed(notification, readAttempts(notification.attempts), now)
          : { ref: notification.ref, became: 'done' },
      )
    }
  }

  /** 'settle': what came of it is to be settled before anything else; 'ended' as above. */
  async #tell(span: Span, round: Round): Promise<'on' | 'settle' | 'ended'> {
    const { queue, subscription } = this.#lease
    const { clock, slots, hostOf, send, stopping, aborted, endSubscription } = this.#parts
    const leave = await slots.enter({ host: hostOf(subscription.subscriber), project: queue.project })
    if (leave === null) {
      rest(round, stopping.aborted ? null : clock.now() + NO_SLOT_REST_MS)
      return 'settle'
    }
    const begun = clock.now()
    const parcel = { queue, subscription, options: this.#options }
    const answer = await send({ ...parcel, notifications: span.wanted }, aborted).finally(leave)
    if (aborted.aborted && answer.result === 'failed') {
      rest(round, null)
      return 'settle'
    }
    if (answer.result === 'gone' && this.#options.endsOnGone) {
      await endSubscription(this.#lease)
      return 'ended'
    }
    return this.#record(span, answer, begun, round)
  }

  #record(span: Span, answer: Answer, begun: Instant, round: Round): 'on' | 'settle' {
    const now = this.#parts.clock.now()
    const { status, reason } = answer
    const attempt: Attempt = { at: begun, seconds: (now - begun) / 1000, status, reason, answer: answer.answer }
    const isDelivered = answer.result === 'delivered'
    const messageIds = span.wanted.flatMap(({ content }) => (content.kind === 'message' ? [content.message.id] : []))
    round.log.push(printLogged({ ...attempt, messageIds }))
    round.health = afterAttempt(round.health, { ok: isDelivered, now })
    let retryAt: Instant | null = null
    for (const notification of span.all) {
      const { ref } = notification
      if (isDelivered || !span.wanted.includes(notification)) {
        round.outcomes.push({ ref, became: 'done' })
        continue
      }
      const outcome = this.#afterFailure(notification, attempt, answer.retryAfterSeconds, now)
      if (outcome.became === 'postponed') retryAt = Math.max(retryAt ?? 0, outcome.until)
      round.outcomes.push(outcome)
    }
    const pausedUntil = round.health?.pausedUntil ?? 0
    if (this.#options.isOrdered && retryAt !== null) {
      if (Math.max(retryAt, pausedUntil) > now) rest(round, Math.max(retryAt, pausedUntil))
      return 'settle'
    }
    return 'on'
  }

  #afterFailure(notification: Notification, attempt: Attempt, retryAfterSeconds: number | null, now: Instant): Outcome {
    const attempts = withAttempt(readAttempts(notification.attempts), attempt)
    const until = nextAttemptAt({ attempts: attempts.count, delays: this.#delays, retryAfterSeconds, now })
    if (until === null) return this.#failed(notification, attempts, now)
    return { ref: notification.ref, became: 'postponed', until, attempts: printAttempts(attempts) }
  }

  #failed({ ref }: Notification, attempts: Attempts, now: Instant): Outcome {
    const expiresAt = now + this.#parts.terms.keep.failureSeconds * 1000
    return { ref, became: 'failed', attempts: printAttempts(attempts), expiresAt }
  }
}

function rest(round: Round, until: Instant | null): Round {
  round.rest = { until }
  return round
}
