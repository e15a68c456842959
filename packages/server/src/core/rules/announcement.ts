import type { Instant } from '../../model/model.ts'

/** What a subscriber is told about the subscription itself, as it was when that was asked for. */
export interface Announcement {
  readonly type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation'
  /** Whom it is for: the URI as it was then. Who takes that one's place is not told. */
  readonly subscriber: string
  /** Until when it can be answered. */
  readonly expiresAt: Instant
}

export function readAnnouncement(text: string): Announcement {
  return JSON.parse(text) as Announcement
}

export function printAnnouncement({ type, subscriber, expiresAt }: Announcement): string {
  return JSON.stringify({ type, subscriber, expiresAt })
}
