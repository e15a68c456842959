import type { Claim, Instant, QueueKey } from '../model/model.ts'
import { MessageRates } from './message-rates.ts'

/** What was done with messages in this process, whichever way it was asked for: so far, and lately in each queue. */
export class MessageTally {
  readonly rates: MessageRates
  posted = 0
  /** Claims that were made, also to be pushed; and messages that they held. */
  claims = 0
  claimed = 0
  popped = 0

  constructor(now: Instant) {
    this.rates = new MessageRates(now)
  }

  countPosted(key: QueueKey, messages: number, now: Instant): void {
    this.posted += messages
    this.rates.count(key, 'posted', messages, now)
  }

  countClaim(key: QueueKey, { messages }: Pick<Claim, 'messages'>, now: Instant): void {
    this.claims += 1
    this.claimed += messages.length
    this.rates.count(key, 'claimed', messages.length, now)
  }

  countPopped(key: QueueKey, messages: number, now: Instant): void {
    this.popped += messages
    this.countDeleted(key, messages, now)
  }

  countDeleted(key: QueueKey, messages: number, now: Instant): void {
    this.rates.count(key, 'deleted', messages, now)
  }

  /** Of which a subscriber was told. */
  countDelivered(key: QueueKey, messages: number, now: Instant): void {
    this.rates.count(key, 'delivered', messages, now)
  }
}
