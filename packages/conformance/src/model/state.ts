import { randomBytes } from 'node:crypto'
import type {
  Claim,
  Departure,
  Failure,
  Flavor,
  Instant,
  Message,
  NotificationContent,
  NotifiedMessage,
  Placement,
  Pool,
  Queue,
  QueueHandle,
  QueueKey,
  Relocation,
  Subscription,
} from 'zaqar/storage'

/**
 * Everything that the model holds, as plain arrays of rows. Each row of a queue names it by key. Rows whose time is
 * over stay; every reader filters by `now`.
 */
export interface ModelState {
  queues: QueueRow[]
  messages: MessageRow[]
  claims: ClaimRow[]
  subscriptions: SubscriptionRow[]
  feed: FeedRow[]
  idempotencyRecords: IdempotencyRow[]
  /** Where each marker that was handed out points: ids of messages and ends of pages. */
  markers: MarkerRow[]
  departures: Departure[]
  /** Departures that have arrived at a queue. */
  arrivals: { queue: QueueKey; departure: string }[]
  /** Messages that were removed while somebody kept them, each at most once for each queue. */
  gone: GoneRow[]
  keepers: KeeperRow[]
  readonly idKey: Uint8Array
  pools: Omit<Pool, 'flavor'>[]
  flavors: Omit<Flavor, 'pools'>[]
  poolFlavors: PoolFlavorRow[]
  placements: PlacementRow[]
  relocations: RelocationRow[]
  /** Source of ids, versions and of the order in which messages arrive. */
  counter: number
  watchers: WatcherRow[]
  subscriptionListeners: SubscriptionListenerRow[]
  workListeners: WorkListenerRow[]
}

/** The same contents have the same incarnation, also in another store. */
export interface QueueRow extends Queue {
  incarnation: string
  /** Whether it has ever had a message. */
  isUsed: boolean
}

export interface MessageRow extends Omit<Message, 'claimId'>, Place {
  queue: QueueKey
  ttlSeconds: number
  expiresAt: Instant
  /** The claim that took it last, live or not. */
  claimId: string | null
  claimCount: number
  /** Name of the queue that it left for this dead letter queue, or null. */
  cameFrom: string | null
  /** Seconds, as posted. */
  delaySeconds: number
  /** Whether it still has to enter the feed, once it is visible. */
  isToEnter: boolean
}

/**
 * Where a message stands: it becomes visible at an instant, and among those of one instant the first to arrive is
 * first.
 */
export interface Place {
  visibleAt: Instant
  arrival: number
}

export interface ClaimRow extends Omit<Claim, 'messages'> {
  readonly queue: QueueKey
  readonly key: string | undefined
  readonly clientId: string | null
  ttlSeconds: number
  renewedAt: Instant
}

export interface SubscriptionRow extends Subscription {
  readonly queue: QueueKey
  /** The number in the feed behind which it is owed messages. */
  position: number
  /** What it is owed besides: announcements, and messages that were tried or are replayed. */
  retries: RetryRow[]
  /** In the order in which they failed. */
  failures: FailureRow[]
  log: string[]
  /** The last one, live or not. */
  lease: { readonly id: string; readonly endsAt: Instant } | null
  restsUntil: Instant | null
}

/** A message as subscriptions are told of it. Numbers grow through all feeds. */
export interface FeedRow {
  readonly queue: QueueKey
  readonly number: number
  readonly message: NotifiedMessage
  readonly since: Instant
}

export interface RetryRow {
  /** Of the feed. */
  readonly number: number
  readonly content: NotificationContent
  readonly since: Instant
  readonly attempts: string | null
  /** Not to be tried before. */
  readonly until: Instant
}

export interface FailureRow extends Failure {
  /** Of the feed. */
  readonly number: number
  /** Grows from failure to failure. */
  readonly place: number
  readonly expiresAt: Instant
}

export interface IdempotencyRow {
  readonly queue: QueueKey
  readonly key: string
  readonly digest: string
  readonly expiresAt: Instant
  readonly ids: readonly string[]
}

export interface PlacementRow extends Placement {
  /** Its mark was taken away, and nobody has placed the queue since. */
  readonly isLeaving: boolean
}

export interface RelocationRow extends Relocation {
  /** That the pool had, and has again when this is cancelled. */
  readonly weight: number
  readonly lease: string | null
  readonly leasedUntil: Instant
}

/** A pool belongs to a flavor in a project. */
interface PoolFlavorRow {
  readonly pool: string
  readonly project: string
  readonly flavor: string
}

export interface WatcherRow {
  readonly queue: QueueKey
  readonly listener: () => void
  timer: { cancel(): void } | null
}

/** As the message was, at its place, free. */
export interface GoneRow extends MessageRow {
  readonly removedAt: Instant
}

/** An object for each that keeps. */
export interface KeeperRow {
  readonly queue: QueueKey
}

export interface SubscriptionListenerRow {
  readonly queue: QueueKey
  readonly listener: () => void
}

/** An object for each watch: who watches twice is told twice. */
export interface WorkListenerRow {
  readonly listener: () => void
}

interface MarkerRow extends Place {
  readonly incarnation: string
  readonly marker: string
  /** Names a place in the order of posting among delayed messages. */
  readonly isPosting: boolean
}

export function createModelState(): ModelState {
  return {
    queues: [],
    messages: [],
    claims: [],
    subscriptions: [],
    feed: [],
    idempotencyRecords: [],
    markers: [],
    departures: [],
    arrivals: [],
    gone: [],
    keepers: [],
    idKey: randomBytes(16),
    pools: [],
    flavors: [],
    poolFlavors: [],
    placements: [],
    relocations: [],
    counter: 0,
    watchers: [],
    subscriptionListeners: [],
    workListeners: [],
  }
}

export function nextNumber(state: ModelState): number {
  state.counter += 1
  return state.counter
}

/** The mark at the end keeps one name from being the beginning of another. */
export function newName(kind: string, number: number): string {
  return `${kind}-${number}_`
}

export function isSameQueue(a: QueueKey, b: QueueKey): boolean {
  return a.project === b.project && a.kind === b.kind && a.name === b.name
}

export function findQueue(state: ModelState, key: QueueKey): QueueRow | null {
  return state.queues.find((queue) => isSameQueue(queue, key)) ?? null
}

export function addQueue(state: ModelState, { project, kind, name }: QueueKey, metadata: string): QueueRow {
  const incarnation = newName('incarnation', nextNumber(state))
  const queue: QueueRow = { project, kind, name, metadata, version: newVersion(state), incarnation, isUsed: false }
  state.queues.push(queue)
  return queue
}

export function toQueue({ project, kind, name, metadata, version }: QueueRow): Queue {
  return { project, kind, name, metadata, version }
}

export function findMarker(state: ModelState, queue: QueueKey, marker: string | null): MarkerRow | undefined {
  const incarnation = findQueue(state, queue)?.incarnation
  return state.markers.find((row) => row.marker === marker && row.incarnation === incarnation)
}

export function addMarker(
  state: ModelState,
  queue: QueueKey,
  marker: string,
  { visibleAt, arrival }: Place,
  isPosting = false,
): string {
  const incarnation = findQueue(state, queue)?.incarnation ?? ''
  state.markers.push({ incarnation, marker, visibleAt, arrival, isPosting })
  return marker
}

export function markUsed(state: ModelState, key: QueueKey): void {
  const queue = findQueue(state, key)
  if (queue) queue.isUsed = true
}

/** Other contents have another incarnation. */
export function empty(state: ModelState, key: QueueKey): void {
  const stays = (row: { queue: QueueKey }) => !isSameQueue(row.queue, key)
  state.messages = state.messages.filter(stays)
  state.gone = state.gone.filter(stays)
  state.claims = state.claims.filter(stays)
  state.idempotencyRecords = state.idempotencyRecords.filter(stays)
  const queue = findQueue(state, key)
  if (queue) Object.assign(queue, { incarnation: newName('incarnation', nextNumber(state)), isUsed: false })
}

export function newVersion(state: ModelState): string {
  return newName('version', nextNumber(state))
}

export function isStale(state: ModelState, handle: QueueHandle): boolean {
  return findQueue(state, handle)?.version !== handle.version
}

/** A message, claim or subscription ends at the very instant of its expiry. */
export function endOf({ renewedAt, ttlSeconds }: { renewedAt: Instant; ttlSeconds: number }): Instant {
  return renewedAt + ttlSeconds * 1000
}

/** By Unicode code points; plain `<` would compare UTF-16 units. */
export function compareCodePoints(a: string, b: string): number {
  const left = Array.from(a, (character) => character.codePointAt(0) ?? 0)
  const right = Array.from(b, (character) => character.codePointAt(0) ?? 0)
  const differing = left.findIndex((codePoint, index) => codePoint !== right[index])
  if (differing === -1) return left.length - right.length
  return (left[differing] ?? 0) - (right[differing] ?? -1)
}

/** The page of a listing that goes by a unique name or id. */
export function pageBy<Row>(
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  { after, limit }: { after: string | null; limit: number },
): Row[] {
  return rows
    .filter((row) => after === null || compareCodePoints(nameOf(row), after) > 0)
    .sort((a, b) => compareCodePoints(nameOf(a), nameOf(b)))
    .slice(0, limit)
}
