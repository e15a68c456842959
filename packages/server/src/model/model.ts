/** A moment: whole milliseconds since the Unix epoch. */
export type Instant = number

/** JSON as it was parsed. Numbers whose spelling JavaScript would change are `KeptNumber` (see model/json.ts). */
export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

/** Queues and topics have the same parts but separate name spaces: a topic cannot be claimed from. */
export type QueueKind = 'queue' | 'topic'

/** Names one queue or topic. The same name in another project, or of the other kind, is another queue. */
export interface QueueKey {
  readonly project: string
  readonly kind: QueueKind
  readonly name: string
}

export interface Queue extends QueueKey {
  /**
   * JSON text of an object: own keys and those reserved attributes that were set, in the order in which they were set.
   */
  readonly metadata: string
  /** Changes whenever the metadata changes, and is never used again by a later queue of the same name. */
  readonly version: string
  /** On which pool it lies; only where several engines are one. */
  readonly pool?: string
}

/** A message as a reader sees it. */
export interface Message {
  readonly id: string
  /** The body as JSON text. */
  readonly body: string
  /** Who posted it. */
  readonly clientId: string
  /** Seconds, as posted or as changed by a claim or by a move to another queue. (contract http.md 3.7.1, 6.6, 6.8) */
  readonly ttlSeconds: number
  /** When it was posted. Claims and moves leave it alone. */
  readonly createdAt: Instant
  /** The live claim that holds it, or null. */
  readonly claimId: string | null
  /** How often a claim has taken it. */
  readonly claimCount: number
  /** Its own place, for who goes on behind it. Only where it was asked for. */
  readonly marker?: string
  /** Of the body; null: it has none. Engines leave it out, and it is there where the service shows it. */
  readonly checksum?: string | null
}

export interface Claim {
  readonly id: string
  readonly ttlSeconds: number
  /** When the claim was made or last renewed. */
  readonly renewedAt: Instant
  /** In the order of the queue. Never empty. */
  readonly messages: readonly Message[]
}

/** A claim without its messages. */
export interface ListedClaim extends Omit<Claim, 'messages'> {
  /** How many messages it holds. */
  readonly messages: number
  /** Who made it; null: nobody said. */
  readonly clientId: string | null
}

/** Where messages go that were claimed too often. */
export interface DeadLetterPolicy {
  /** Name of a queue of the same project. */
  readonly queue: string
  /** A message that was claimed this often already is moved instead of being handed out. May be 0 or less. */
  readonly maxClaimCount: number
  /** New lifetime from the moment of the move, in seconds; null keeps the moment of expiry as it is. */
  readonly ttlSeconds: number | null
  /** The queue lies in another store: messages for it depart, see `Departure`. */
  readonly elsewhere?: true
  /** Only where the queue is here in this version messages move at once; otherwise they depart. */
  readonly version?: string
}

/** A message with all that there is to know of it, as it goes from one store to another. */
export interface WholeMessage {
  readonly id: string
  /** As it is stored: what is put around an engine may have sealed the JSON text, and opens it where it is read. */
  readonly body: string
  readonly clientId: string
  /** Seconds. */
  readonly ttlSeconds: number
  readonly createdAt: Instant
  /** Of a delayed message: when its delay will be over. Of any other: `createdAt`. */
  readonly visibleAt: Instant
  readonly expiresAt: Instant
  readonly claimCount: number
  /** Name of the queue that it left for this dead letter queue, or null. */
  readonly cameFrom: string | null
  /** The marker of its place; null while it is delayed, and on its way to another queue. */
  readonly marker: string | null
  /** The marker of its place in the order of posting; null on its way to another queue. */
  readonly posting: string | null
}

/** A message that has left its queue for one that lies in another store. */
export interface Departure {
  /** Names this departure: a message may depart again. */
  readonly id: string
  /** Where to. */
  readonly queue: QueueKey
  readonly message: WholeMessage
}

export interface QueueStats {
  /** Messages that no live claim holds; delayed ones count too. */
  readonly free: number
  readonly claimed: number
  /** Only where it was asked for. */
  readonly delayed?: number
  readonly oldest: Message | null
  readonly newest: Message | null
}

export interface Subscription {
  readonly id: string
  /** Name of the queue or topic that it listens to. */
  readonly source: string
  /** URI exactly as given. */
  readonly subscriber: string
  readonly ttlSeconds: number
  /** When it was created or its ttl was last set. */
  readonly renewedAt: Instant
  /** JSON text of an object. */
  readonly options: string
  readonly confirmed: boolean
  /** Whether it is told of messages. One that has to be confirmed first is not. */
  readonly isListening: boolean
  /** How its receiver does; null while nothing is wrong. */
  readonly health: Health | null
  /** What the service keeps for itself about it: JSON text of an object, see `core/rules/vault.ts`; null: nothing. */
  readonly vault: string | null
}

/** A receiver to which deliveries fail. */
export interface Health {
  /** How many attempts have failed since the last that did not. */
  readonly failures: number
  /** When the first of these was. */
  readonly failingSince: Instant
  /** Nothing is sent to it before; null where it is tried as ever. */
  readonly pausedUntil: Instant | null
}

/** Something that a subscription is owed, and whatever is known of how that went. */
export interface Notification {
  /** The engine's name for it, among those of its subscription. Not for clients. */
  readonly ref: string
  readonly content: NotificationContent
  /** When it was there to be told of: at the POST of its message, at the end of its delay, or when it was announced. */
  readonly since: Instant
  /** What became of it until now, in words of the delivery: JSON text; null where it was not tried yet. */
  readonly attempts: string | null
}

/** A message, or an announcement about the subscription itself: JSON text in words of the delivery. */
export type NotificationContent =
  | { readonly kind: 'message'; readonly message: NotifiedMessage }
  | { readonly kind: 'announcement'; readonly text: string }

/** A message as it was posted. It may have gone from its queue in the meantime. */
export interface NotifiedMessage {
  readonly id: string
  /** The body as JSON text. */
  readonly body: string
  readonly clientId: string
  /** Seconds. */
  readonly ttlSeconds: number
  /** Seconds; 0: none. */
  readonly delaySeconds: number
  /** When it was posted. */
  readonly createdAt: Instant
}

/** A message that a subscription was told of in vain. */
export interface Failure {
  readonly message: NotifiedMessage
  readonly since: Instant
  /** What became of it, in words of the delivery: JSON text. */
  readonly attempts: string
  readonly failedAt: Instant
}

export interface Pool {
  readonly name: string
  readonly uri: string
  readonly weight: number
  /** JSON text of an object. */
  readonly options: string
  /** Name of the flavor that the pool belongs to in the project that asks, or null. The flavor need not exist yet. */
  readonly flavor: string | null
}

/** Queues on their way from pool to pool, as an operator has asked for: out of one that is drained, or to share all by the weights: the rebalance. */
export interface Relocation {
  /** The pool that is drained; null: the rebalance. */
  readonly pool: string | null
  readonly status: 'active' | 'cancelled' | 'done' | 'failed'
  /** Records in a second, at most; null: any number. */
  readonly rate: number | null
  readonly askedAt: Instant
  /** Null while it is active. */
  readonly endedAt: Instant | null
  /** That are to go still, about; null: nobody has counted them yet. */
  readonly queuesLeft: number | null
  readonly queuesMoved: number
  readonly recordsMoved: number
  /** What stood in the way last; null: nothing does. */
  readonly trouble: string | null
}

export interface Flavor {
  readonly project: string
  readonly name: string
  /** Names of pools, sorted. */
  readonly pools: readonly string[]
}

/** Wants one of the values under the key. */
export interface MetadataFilter {
  readonly key: string
  readonly anyOf: readonly (string | number | boolean | null)[]
}
