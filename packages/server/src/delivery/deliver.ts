import type { ParsedBodies } from '../core/parsed-bodies.ts'
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
import type { Health, Instant, Notification, NotifiedMessage, Queue, QueueKey, Subscription } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'
import {
  type Batch,
  type DeliveryStore,
  type Lease,
  type Outcome,
  type QueueEngine,
  StorageUnavailable,
} from '../storage/contract.ts'
import { type Answer, failure } from './channel.ts'
import { composedLength } from './compose-webhook.ts'
import type { DeliveryMeter } from './delivery-meter.ts'
import { afterAttempt, givesUpAt, isPaused, nextAttemptAt } from './health.ts'
import type { Pace } from './pace.ts'
import type { ParcelBudget } from './parcel-budget.ts'
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
  readonly pace: Pace
  readonly bodies: ParsedBodies
  readonly budget: ParcelBudget
  readonly meter: DeliveryMeter
  /** Told how many messages a receiver has taken. */
  delivered(queue: QueueKey, messages: number): void
  readonly terms: DeliveryTerms
  /** The part of a subscriber's URI that tells whom it keeps busy. */
  hostOf(subscriber: string): string
  send(parcel: Parcel, signal: AbortSignal): Promise<Answer>
  /** Told of errors that are ours. */
  report(error: unknown): void
  /** The receiver wants no more: the subscription goes, with all that hangs on it. */
  endSubscription(queue: Queue, subscription: Subscription): Promise<void>
  /** Resolves when it is a good time to settle. */
  readyToSettle(): Promise<void>
  /** No try begins any more. */
  readonly stopping: AbortSignal
  /** Tries under way end. */
  readonly aborted: AbortSignal
}

/** Of what a subscription is owed, as much is taken at once, in UTF-8; a node holds it for each that it delivers to. */
const BATCH_BYTES = 256 * 1024
/** And so many notifications: a few at first, then twice as many as went out between two settlements. */
const [LEAST, MOST] = [8, 100]
/** Of many subscriptions at once, so little of each. */
export const FIRST_BATCH: Batch = { notifications: LEAST, bytes: 32 * 1024 }
/** What was delivered is settled at the latest so long after, in milliseconds: a crash repeats no more than that. */
const UNSETTLED_MS = 100
/** Before a storage is asked again that could not answer, in milliseconds. */
export const AFTER_TROUBLE_MS = 1_000
/** Who has had its turn for so long, in milliseconds, gives it up for others that wait. */
const TURN_MS = 10_000
/** For whom no slot was free, tries again after about so long, in milliseconds. */
const NO_SLOT_REST_MS = 5_000

/** The body of a message that is encrypted and cannot be opened, see `DeliveryStore.lease`. */
const UNREADABLE = ''

/** What a lease has handed out and was not settled yet. */
interface Hand {
  readonly notifications: readonly Notification[]
  /** Nothing more is owed by now. */
  readonly isAll: boolean
  /** Of the lease. */
  readonly endsAt: Instant
}

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
  /** Never empty. */
  readonly all: readonly Notification[]
  /** Those that the receiver wants; they go to it in one parcel. */
  readonly wanted: readonly Notification[]
  /** When the parcel goes though it is not full; null where it is, or where there may be more to fill it. */
  readonly waitsUntil: Instant | null
  /** There may be more that belongs into the parcel. */
  readonly isCutOff: boolean
}

/**
 * Delivers what a leased subscription is owed, in order, until there is nothing more for now.
 * @throws StorageUnavailable when it cannot be said what became of it. The lease ends by itself then, and what was
 * delivered since it was last said is delivered once more.
 */
export async function deliver(lease: Lease, parts: DeliverParts): Promise<void> {
  const { terms } = parts
  const delivery = new Delivery(lease, parts)
  let { notifications, endsAt } = lease
  let { health } = lease.subscription
  let batch = FIRST_BATCH
  const begun = parts.clock.now()
  while (notifications.length > 0) {
    const isAll = notifications.length < batch.notifications && bytesOf(notifications) < batch.bytes
    const round = await delivery.deliverSome({ notifications, isAll, endsAt }, health)
    if (round === 'ended') return
    if (parts.clock.now() - begun >= TURN_MS) round.rest ??= { until: null }
    batch = delivery.batchAfter(round)
    await parts.readyToSettle()
    const settled = await settle(
      {
        lease: delivery.lease,
        outcomes: round.outcomes,
        log: round.log,
        keep: terms.keep,
        health: round.health,
        next: round.rest === null ? { seconds: terms.leaseSeconds, batch } : null,
        restsUntil: round.rest?.until ?? null,
      },
      endsAt,
      parts,
    )
    if (settled === 'lost') return
    delivery.seeAs(settled.subscription)
    health = settled.subscription.health
    notifications = settled.notifications
    endsAt = settled.endsAt
  }
}

/** Tries again while the lease lasts: what cannot be settled is delivered once more. */
async function settle(
  settlement: Omit<Parameters<DeliveryStore['settle']>[0], 'now'>,
  endsAt: Instant,
  { storage, clock, stopping }: DeliverParts,
): ReturnType<DeliveryStore['settle']> {
  for (;;) {
    try {
      return await storage.deliveries.settle({ ...settlement, now: clock.now() })
    } catch (error) {
      const again = clock.now() + AFTER_TROUBLE_MS
      if (!(error instanceof StorageUnavailable) || again >= endsAt || stopping.aborted) throw error
      await new Promise<void>((resolve) => clock.at(again, resolve))
    }
  }
}

class Delivery {
  readonly #parts: DeliverParts
  #lease: Lease
  #options: SubscriptionOptions
  /** Seconds to wait before each further try. */
  #delays: readonly number[]

  constructor(lease: Lease, parts: DeliverParts) {
    this.#lease = lease
    this.#parts = parts
    this.#options = readSubscriptionOptions(lease.subscription.options)
    this.#delays = this.#delaysOf(this.#options)
  }

  /** The subscription may have been changed, or confirmed, since the lease began. */
  seeAs(subscription: Subscription): void {
    if (subscription.options !== this.#lease.subscription.options) {
      this.#options = readSubscriptionOptions(subscription.options)
      this.#delays = this.#delaysOf(this.#options)
    }
    this.#lease = { ...this.#lease, subscription }
  }

  /** With the subscription as it was seen last. */
  get lease(): Lease {
    return this.#lease
  }

  get #isEncrypted(): boolean {
    return membersOf(this.#lease.queue.metadata).get('_enable_encrypt_messages') === 'true'
  }

  #delaysOf({ retryPolicy }: SubscriptionOptions): readonly number[] {
    const ofQueue = membersOf(this.#lease.queue.metadata).get('_retry_policy')
    return retryDelays(selectRetryPolicy(retryPolicy, ofQueue && parseJson(ofQueue)))
  }

  /** What to ask for when that is settled. */
  batchAfter({ outcomes }: Round): Batch {
    const notifications = Math.max(LEAST, 2 * outcomes.length, this.#options.batch?.messages ?? 1)
    return { notifications: Math.min(notifications, MOST), bytes: BATCH_BYTES }
  }

  /** As many as are to be settled together, from the first on. 'ended': there is no subscription any more. */
  async deliverSome(hand: Hand, health: Health | null): Promise<Round | 'ended'> {
    const { clock, stopping } = this.#parts
    const begun = clock.now()
    const round: Round = { outcomes: [], log: [], health, rest: null }
    for (let next = 0; next < hand.notifications.length && round.rest === null; ) {
      const now = clock.now()
      if (next > 0 && (this.#isLate(hand) || now - begun >= UNSETTLED_MS)) return round
      if (stopping.aborted) return rest(round, null)
      const span = await this.#spanFrom(hand, next)
      if (span.isCutOff) return round
      if (span.wanted.length === 0) for (const { ref } of span.all) round.outcomes.push({ ref, became: 'done' })
      else if (span.waitsUntil !== null && span.waitsUntil > now) return rest(round, span.waitsUntil)
      else if (isPaused(round.health, now)) this.#giveUp(span, round, now)
      else {
        const said = await this.#tell(span, hand, round)
        if (said !== 'on') return said === 'ended' ? 'ended' : round
      }
      next += span.all.length
    }
    return round
  }

  /** A try that began now might end after the lease. */
  #isLate({ endsAt }: Hand): boolean {
    const { clock, terms } = this.#parts
    return endsAt - clock.now() <= terms.longestTrySeconds * 1000
  }

  async #spanFrom({ notifications, isAll }: Hand, first: number): Promise<Span> {
    const { batch } = this.#options
    const most = batch?.messages ?? 1
    const [all, wanted]: [Notification[], Notification[]] = [[], []]
    let bytes = 0
    let isWhole = false
    for (let i = first; i < notifications.length && !isWhole; i++) {
      const notification = notifications[i] as Notification
      const isAlone = standsAlone(notification)
      if (isAlone && all.length > 0) break
      all.push(notification)
      if (await this.#wants(notification)) wanted.push(notification)
      bytes += bytesOf([notification])
      isWhole = isAlone || wanted.length === 0 || wanted.length === most || bytes >= BATCH_BYTES
    }
    const isFull = isWhole || first + all.length < notifications.length
    const isCutOff = !isFull && !isAll && (first > 0 || notifications.length < most)
    const waitsUntil = isFull ? null : (wanted[0]?.since ?? 0) + (batch?.seconds ?? 0) * 1000
    return { all, wanted, waitsUntil, isCutOff }
  }

  async #wants({ content }: Notification): Promise<boolean> {
    if (content.kind === 'announcement' || content.message.body === UNREADABLE) return true
    if (this.#parts.terms.requiresConfirmation && !this.#lease.subscription.confirmed) return false
    const { filter } = this.#options
    return filter === null || this.#parts.bodies.match(filter, content.message)
  }

  /** What has waited for a receiver that is paused for as long as its retries would have taken fails at last. */
  #giveUp({ all, wanted }: Span, round: Round, now: Instant): void {
    const pausedUntil = round.health?.pausedUntil ?? now
    if (wanted.some(({ since }) => givesUpAt(since, this.#delays) > now)) {
      rest(round, pausedUntil)
      return
    }
    this.#parts.meter.became('failed', this.#lease.subscription, wanted.length)
    for (const notification of all) {
      round.outcomes.push(
        wanted.includes(notification)
          ? this.#failed(notification, withoutTry(readAttempts(notification.attempts), now), now)
          : { ref: notification.ref, became: 'done' },
      )
    }
  }

  /** 'settle': what came of it is to be settled before anything else; 'ended' as above. */
  async #tell(span: Span, hand: Hand, round: Round): Promise<'on' | 'settle' | 'ended'> {
    const { queue, subscription } = this.#lease
    const { clock, slots, pace, hostOf, stopping, aborted, endSubscription, budget, meter } = this.#parts
    if (span.all.some(isUnreadable)) return this.#record(span, failure('the message cannot be decrypted'), null, round)
    const bytes = this.#lengthOf(span)
    if (!budget.admits(bytes)) return this.#record(span, failure('the request would be too long'), null, round)
    const leave = await slots.enter({ host: hostOf(subscription.subscriber), project: queue.project })
    const giveBack = leave && budget.take(queue.project, bytes)
    if (leave === null || giveBack === null) {
      leave?.()
      rest(round, stopping.aborted ? null : clock.now() + NO_SLOT_REST_MS)
      return 'settle'
    }
    if (this.#isLate(hand)) {
      giveBack()
      leave()
      return 'settle'
    }
    await pace.turn()
    const begun = clock.now()
    const measured = meter.begin()
    const answer = await this.#send({ queue, subscription, options: this.#options, notifications: span.wanted })
    meter.sent(subscription, measured)
    giveBack()
    leave()
    if (aborted.aborted && answer.result === 'failed') {
      rest(round, null)
      return 'settle'
    }
    if (answer.result === 'gone' && this.#options.endsOnGone) {
      meter.became('gone', subscription, span.wanted.length)
      await endSubscription(queue, subscription)
      return 'ended'
    }
    return this.#record(span, answer, begun, round)
  }

  /** A fault of ours must not be met again for ever: it counts as a failure. */
  async #send(parcel: Parcel): Promise<Answer> {
    const { send, aborted, report } = this.#parts
    try {
      return await send(parcel, aborted)
    } catch (error) {
      report(error)
      return failure('the service could not send it')
    }
  }

  /** At the most, in bytes. */
  #lengthOf({ wanted }: Span): number {
    return composedLength({ options: this.#options, messages: messagesOf(wanted) })
  }

  /** `triedAt`: null where nothing was sent. */
  #record(span: Span, answer: Answer, triedAt: Instant | null, round: Round): 'on' | 'settle' {
    const now = this.#parts.clock.now()
    const begun = triedAt ?? now
    const { status, reason } = answer
    // A receiver may say what it was sent, which an encrypted queue keeps in no other way than encrypted.
    const said = this.#isEncrypted ? null : answer.answer
    const attempt: Attempt = { at: begun, seconds: (now - begun) / 1000, status, reason, answer: said }
    const isDelivered = answer.result === 'delivered'
    const { meter, delivered } = this.#parts
    const messageIds = messagesOf(span.wanted).map(({ id }) => id)
    if (isDelivered) {
      meter.became('delivered', this.#lease.subscription, span.wanted.length)
      delivered(this.#lease.queue, messageIds.length)
    }
    round.log.push(printLogged({ ...attempt, messageIds }))
    // What was not sent says nothing of the receiver.
    if (triedAt !== null) round.health = afterAttempt(round.health, { ok: isDelivered, now })
    let retryAt: Instant | null = null
    for (const notification of span.all) {
      const { ref } = notification
      if (isDelivered || !span.wanted.includes(notification)) {
        round.outcomes.push({ ref, became: 'done' })
        continue
      }
      const outcome = this.#afterFailure(notification, attempt, answer.retryAfterSeconds, now)
      if (outcome.became === 'postponed') retryAt = Math.max(retryAt ?? 0, outcome.until)
      meter.became(outcome.became === 'postponed' ? 'postponed' : 'failed', this.#lease.subscription, 1)
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

/** Those of them that tell of one. */
export function messagesOf(notifications: readonly Notification[]): NotifiedMessage[] {
  return notifications.flatMap(({ content }) => (content.kind === 'message' ? [content.message] : []))
}

/** Of the bodies, in UTF-8. */
function bytesOf(notifications: readonly Notification[]): number {
  return messagesOf(notifications).reduce((bytes, { body }) => bytes + Buffer.byteLength(body), 0)
}

/** It goes out by itself, whatever the subscription wants. */
function standsAlone(notification: Notification): boolean {
  return notification.content.kind === 'announcement' || isUnreadable(notification)
}

function isUnreadable({ content }: Notification): boolean {
  return content.kind === 'message' && content.message.body === UNREADABLE
}

/** Of what fails at last without having been tried since its receiver was paused. */
function withoutTry({ count, latest }: Attempts, now: Instant): Attempts {
  const reason = 'not tried any more: the receiver has failed for too long'
  return { count, latest: [...latest, { at: now, seconds: 0, status: null, reason, answer: null }] }
}

function rest(round: Round, until: Instant | null): Round {
  round.rest = { until }
  return round
}
