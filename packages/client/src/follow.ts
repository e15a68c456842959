import type { Topic } from './topic.ts'

/** A message that has come, and where it stands. */
export interface ReceivedMessage<Body = unknown> {
  readonly id: string
  readonly body: Body
  readonly ttl: number
  /** `from` of a later subscription goes on behind this message. */
  readonly marker: string
}

/** How far a follower has come: behind this message; or at a marker, where it begins. */
export type Step = ReceivedMessage | { readonly id: null; readonly marker: string }

/** What a way to follow is asked for. Its first step shows that it can. */
export interface FollowTerms {
  readonly topic: Topic
  /** It begins behind it; undefined: with what is posted from now on. */
  readonly marker: string | undefined
  readonly signal: AbortSignal
}

/**
 * A marker before the first message of everything: to this service and to upstream's Redis one that they do not know, to MongoDB
 * the number before the first, to Swift what sorts before all ids.
 */
export const BEGINNING = '0'
