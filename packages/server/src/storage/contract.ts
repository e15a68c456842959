/**
 * The storage contract: what an engine does for the operations.
 *
 * - Every method is one atomic move. It happens wholly or not at all, and its promise resolves only when what it wrote
 *   is durable as far as the engine can promise it (`weakness`).
 * - `now` comes from the caller and never runs backwards for one client of a storage; clocks of several clients may
 *   differ a little. What is visible follows from the stored rows and `now` alone: at `expiresAt` a message, a claim or
 *   a subscription is gone, at `visibleAt` a delayed message is there. Freeing the space of what is gone is
 *   housekeeping and shows nowhere.
 * - A method costs what it hands out or takes in, not what the queue holds.
 * - Documents of clients are JSON text, which comes back letter by letter: bodies, metadata, options.
 * - Engines get clean input: names, limits and ranges have been checked. Ids and markers are the exception: they come
 *   from clients as they are, and one that is malformed or belongs to another queue names nothing.
 * - Engines throw `StorageUnavailable`, or a bug. Every expected outcome is a result.
 *
 * Order. A message takes its place in a queue when it becomes visible: at its POST, or when its delay is over, or when
 * it moves into the queue; several at the same instant in the order in which they were posted. It keeps that place
 * through claims and releases. Listing, claiming and popping go by place. Only a listing that includes delayed messages
 * goes by order of posting instead, since it meets messages that have no place yet.
 */
import type {
  Claim,
  DeadLetterPolicy,
  Departure,
  Failure,
  Flavor,
  Health,
  Instant,
  Json,
  ListedClaim,
  Message,
  MetadataFilter,
  Notification,
  Pool,
  Queue,
  QueueKey,
  QueueStats,
  Relocation,
  Subscription,
  WholeMessage,
} from '../model/model.ts'

/** Whether metadata passes the filters of a listing; for engines that do not look for themselves. */
export { passesFilters } from '../model/members.ts'
export type * from '../model/model.ts'
export { queueId } from '../model/queue-id.ts'
export type { Clock, Timer } from '../platform/clock.ts'
/** Calls listeners as `Storage.watch` promises. */
export { tellListeners } from './tell-listeners.ts'

/**
 * A queue as the caller last saw it. Moves whose terms follow from the settings of the queue take this instead of a
 * mere key, and answer `STALE`, having done nothing, when the queue has changed or gone since. So a caller may remember
 * queues for as long as it likes, on any number of nodes, and still needs one round trip for a move.
 */
export interface QueueHandle extends QueueKey {
  readonly version: string
  /**
   * Whether it wants its messages encrypted; no when it does not say. Engines do not look at it, what is put around one
   * does.
   */
  readonly isEncrypted?: boolean
  /** See `Queue.pool`. */
  readonly pool?: string
}
export const STALE = 'stale'
export type Stale = typeof STALE

export interface NewMessage {
  /** The body as JSON text. */
  readonly body: string
  readonly ttlSeconds: number
  /** 0: visible at once. The delay does not lengthen the ttl. */
  readonly delaySeconds: number
}

export interface QueueStore {
  /**
   * Creates the queue if it is missing. An existing one is left as it is, metadata included. `flavor`: where several
   * engines are one, that of the pools one of which is to have it; without it, those that have none.
   */
  create(p: {
    key: QueueKey
    metadata: string
    flavor?: string | null | undefined
    now: Instant
  }): Promise<{ created: boolean; queue: Queue }>

  get(p: { key: QueueKey; now: Instant }): Promise<Queue | null>

  /** Replaces the whole metadata of an existing queue. */
  update(p: { queue: QueueHandle; metadata: string; now: Instant }): Promise<Queue | Stale>

  /**
   * Removes the queue, its messages, claims, subscriptions and idempotency records. Answers at once, whatever it held.
   */
  delete(p: { queue: QueueHandle; now: Instant }): Promise<'deleted' | Stale>

  /**
   * The queues of a project, by name in code point order, those after `after`.
   * `nameContains`: only names with this text in them. `metadata`: only queues that have each of these keys with one of
   * the values (compared as JSON values). `withMetadata`: otherwise that of each is null, and need not be read.
   */
  list(p: {
    project: string
    kind: QueueKey['kind']
    after: string | null
    limit: number
    nameContains: string | null
    metadata: readonly MetadataFilter[]
    withMetadata: boolean
    now: Instant
  }): Promise<ListedQueue[]>

  /** The number of queues of the project. */
  count(p: { project: string; kind: QueueKey['kind']; now: Instant }): Promise<number>

  /**
   * How much the project keeps: queues and topics, and all their messages, claimed and delayed ones too. What has
   * expired may count until housekeeping has freed its space. Costs what it takes to look at every queue of the
   * project, whatever they hold.
   */
  usage(p: { project: string; now: Instant }): Promise<ProjectUsage>

  /** With `countDelayed`, `delayed` says how many of the free ones are delayed: so many also when there are more. */
  stats(p: { queue: QueueHandle; countDelayed?: number | undefined; now: Instant }): Promise<QueueStats | Stale>
}

export interface ListedQueue {
  readonly name: string
  readonly metadata: string | null
}

export interface ProjectUsage {
  readonly queues: number
  readonly messages: number
  /**
   * In UTF-8: bodies as they are stored, metadata and options without their braces, subscribers, keys and digests of
   * idempotency records.
   */
  readonly bytes: number
}

export interface Appended {
  /** In the order of the messages. */
  readonly ids: string[]
}

/** A POST that may be repeated: the same key with the same digest within its time answers the first answer. */
export interface IdempotencyKey {
  readonly key: string
  /** Digest of what was posted. */
  readonly digest: string
  readonly expiresAt: Instant
}

export interface ListedMessages {
  readonly messages: Message[]
  /** The place of the last message of the page, null for an empty one. */
  readonly marker: string | null
  /** With `includeGone`: not all that was kept behind `after` is kept still. See `QueueEngine.keepGone`. */
  readonly missed?: true
}

export interface MessageStore {
  /**
   * Stores all messages or none, with consecutive places in array order. `clientId` is who posted them. With
   * `idempotency`: a live record of that key in this queue with the same digest answers the ids of the first time and
   * stores nothing; with another digest it answers 'conflict'; otherwise the record is stored with the messages.
   */
  append(p: {
    queue: QueueHandle
    clientId: string
    messages: readonly NewMessage[]
    idempotency?: IdempotencyKey | undefined
    now: Instant
  }): Promise<Appended | 'conflict' | Stale>

  /**
   * One page. `after` is a marker from an earlier page, or the id of a message (then its place at its POST counts);
   * what it names need not exist any more; what is no marker of this queue counts as null, the beginning.
   * `hideClientId`: leave out what this client posted. The page is filled up to `limit` as long as there are messages.
   * Who follows markers meets every message that stays, once: none ever takes a place before a marker that was handed
   * out.
   *
   * `includeGone`: shows also messages that were removed while they were kept, see `QueueEngine.keepGone`, at the places
   * that they had, as they were before, but unclaimed, also where `includeClaimed` is false. One that has come back to
   * the queue is there at its new place alone. Not with `includeDelayed`.
   * `withMarkers`: each message has its `marker`: who goes on behind it with such a listing gets what comes after that
   * message. That of the last one is the marker of the page.
   */
  list(p: {
    queue: QueueHandle
    after: string | null
    limit: number
    hideClientId: string | null
    includeClaimed: boolean
    includeDelayed: boolean
    includeGone?: boolean | undefined
    withMarkers?: boolean | undefined
    now: Instant
  }): Promise<ListedMessages | Stale>

  /** Those that exist, claimed and delayed ones too, in the order asked for, each once. */
  get(p: { queue: QueueHandle; ids: readonly string[]; now: Instant }): Promise<Message[] | Stale>

  /**
   * Removes one message. claimId null: 'held' if a live claim holds it. claimId given: 'not-claimed' if no live claim
   * holds it; 'held' if another live claim does and the given one lives (in this queue, with messages left);
   * 'claim-not-live' if another does and the given one does not live.
   */
  delete(p: {
    queue: QueueHandle
    id: string
    claimId: string | null
    now: Instant
  }): Promise<'deleted' | 'absent' | 'held' | 'not-claimed' | 'claim-not-live' | Stale>

  /**
   * Removes messages, claimed ones too, and answers how many; ids that name nothing are skipped. With `claimIds`, every
   * existing one must be held by one of these claims, otherwise nothing is removed and the answer is 'held'.
   */
  deleteMany(p: {
    queue: QueueHandle
    ids: readonly string[]
    claimIds: readonly string[] | null
    now: Instant
  }): Promise<{ readonly deleted: number } | 'held' | Stale>

  /**
   * Removes up to `limit` of the oldest visible unclaimed messages and answers them. Messages that were claimed too
   * often move to the dead letter queue on the way, as with a claim.
   */
  pop(p: {
    queue: QueueHandle
    limit: number
    deadLetter: DeadLetterPolicy | null
    now: Instant
  }): Promise<Message[] | Stale>

  /** Removes all messages, delayed and claimed ones too, and all claims and idempotency records. Answers at once. */
  purge(p: { queue: QueueHandle; now: Instant }): Promise<'purged' | Stale>

  /**
   * Moves messages of a dead letter queue back to the queues they came from: those of `ids`, or the oldest `limit`
   * unclaimed visible ones that came from somewhere. They keep id, body, age and moment of expiry (and have the ttl
   * that goes with it, as when they moved here), take a new place at the end of their old queue and start with a claim
   * count of 0. A message whose old queue is gone or is this one, or that a live claim holds, or that never moved,
   * stays. Answers what was moved, in order. The old queue is the one of that name in the same project; `limit` is not
   * looked at when ids are given. `elsewhere`: names of queues of the project that lie in other stores; messages that
   * came from there depart.
   */
  redrive(p: {
    queue: QueueHandle
    ids: readonly string[] | null
    limit: number
    elsewhere?: readonly string[] | undefined
    now: Instant
  }): Promise<{ id: string; queue: string }[] | Stale>

  /**
   * Names of the queues that the messages came from which `redrive` would look at, each once; also of those that are
   * gone, or lie elsewhere. Of `limit` messages at the most, where no ids are given.
   */
  origins(p: {
    queue: QueueHandle
    ids: readonly string[] | null
    limit: number
    now: Instant
  }): Promise<string[] | Stale>

  /** The marker behind every message that has a place by now: who lists from there meets what comes from now on. */
  end(p: { queue: QueueHandle; now: Instant }): Promise<string | Stale>

  /**
   * One page of the whole queue: by place, claimed messages too, and then the delayed ones by order of posting. `after`
   * is the `marker` of the page before; that of an empty page is null. `end` as from the method of that name, at the
   * same moment.
   */
  export(p: {
    queue: QueueHandle
    after: string | null
    limit: number
    now: Instant
  }): Promise<{ messages: WholeMessage[]; marker: string | null; end: string } | Stale>

  /**
   * Puts messages at the end of the queue, in array order, with their ids, free, and with what is left of their lives
   * and delays. Those that have expired, and those whose ids are in the queue already, are passed over, so to do it
   * twice is harmless.
   *
   * `end` comes from the queue of which these are a page. Where this queue has never had a message, it goes on as that
   * one from then on: messages take the places that their markers say, in both orders, later ones stand behind `end`,
   * and every id and marker that was handed out there is good here. Otherwise, and with null, they take new places.
   *
   * A message with `departure`, the id of one, is taken once, whatever became of it since; those of one queue must come
   * in order.
   */
  import(p: {
    queue: QueueHandle
    messages: readonly ArrivingMessage[]
    end: string | null
    now: Instant
  }): Promise<'stored' | Stale>

  /**
   * Messages that have left queues of this store for others, up to `limit`; of each queue in the order in which they
   * left it. They stay until `departed` says that they have arrived, or until they expire. With `after`, the id of one
   * that is there still: those behind it.
   */
  departures(p: { after?: string | undefined; limit: number; now: Instant }): Promise<Departure[]>

  departed(p: { ids: readonly string[]; now: Instant }): Promise<void>
}

export interface ArrivingMessage extends WholeMessage {
  readonly departure?: string | undefined
}

export interface ClaimStore {
  /**
   * Takes up to `limit` of the oldest messages that are visible and that no live claim holds. Each gets this claim and
   * a claim count one higher. One that would expire before the claim ends lives for claim ttl + grace from now on, and
   * its ttl says so. A message whose claim count has reached the maximum is not handed out but moves to the dead letter
   * queue, at once and unclaimed, with its count back at 0. Its ttl becomes what, less its age, is the rest of its
   * life, in whole seconds. A dead letter queue that is missing comes into being in the same move, with no metadata.
   * (One that is the queue itself moves nothing: no policy.) Where it lies in another store the message departs. Null
   * when nothing was there to claim.
   *
   * `key` makes a repetition harmless: while a claim of this queue that was made with the same key lives and holds
   * something, that is answered as `get` does, whatever the terms, and nothing happens. So of several that come together,
   * through whatever clients, one makes the claim. At most 255 bytes in UTF-8.
   *
   * `clientId` is who makes it, where that is known.
   */
  create(p: {
    queue: QueueHandle
    clientId?: string | undefined
    key?: string | undefined
    limit: number
    ttlSeconds: number
    graceSeconds: number
    deadLetter: DeadLetterPolicy | null
    now: Instant
  }): Promise<Claim | null | Stale>

  /**
   * Finish and take: removes the finished messages, then takes others as `create` does, in one move. `gone` names those
   * of the finished that were not there any more. If any is there but not held by the live claim that is named with it,
   * nothing happens at all and `kept` names those. What is finished is removed also where `key` finds a claim, which is
   * answered with what it holds then.
   */
  exchange(p: {
    queue: QueueHandle
    finished: readonly FinishedMessage[]
    clientId?: string | undefined
    key?: string | undefined
    limit: number
    ttlSeconds: number
    graceSeconds: number
    deadLetter: DeadLetterPolicy | null
    now: Instant
  }): Promise<Exchanged | { readonly kept: string[] } | Stale>

  /** Null when it is unknown, has ended, or has no message left. */
  get(p: { queue: QueueHandle; claimId: string; now: Instant }): Promise<Claim | null | Stale>

  /**
   * One page of those that `get` would answer, in the order in which they were made. `after` is the marker of the page
   * before, or the id of a claim, which may have ended; what is neither in this queue counts as null, the beginning. An
   * engine that would have to pass over very many that hold nothing any more may answer a shorter page, or an empty one,
   * with a marker.
   */
  list(p: { queue: QueueHandle; after: string | null; limit: number; now: Instant }): Promise<ListedClaims | Stale>

  /**
   * The claim ends `ttlSeconds` from now; its messages are lengthened as on creation. False where `get` answers null.
   */
  renew(p: {
    queue: QueueHandle
    claimId: string
    ttlSeconds: number
    graceSeconds: number
    now: Instant
  }): Promise<boolean | Stale>

  /** Ends the claim; its messages can be claimed at once, at their old places, with their claim counts. */
  release(p: { queue: QueueHandle; claimId: string; now: Instant }): Promise<undefined | Stale>
}

export interface ListedClaims {
  readonly claims: ListedClaim[]
  /** Where the next page begins; null: there is none. */
  readonly marker: string | null
}

export interface FinishedMessage {
  readonly id: string
  readonly claimId: string
}

export interface Exchanged {
  /** Null when nothing was there to claim. */
  readonly claim: Claim | null
  readonly gone: string[]
}

export interface SubscriptionStore {
  /**
   * Subscriptions are unique by queue and subscriber among the live ones: an existing one is answered as it is, with
   * `created: false`. A new one is unconfirmed, without health, and is told of what is there to be told of from now on.
   */
  create(p: {
    queue: QueueHandle
    id: string
    subscriber: string
    ttlSeconds: number
    options: string
    isListening: boolean
    vault: string | null
    now: Instant
  }): Promise<{ created: boolean; subscription: Subscription } | Stale>

  get(p: { queue: QueueHandle; id: string; now: Instant }): Promise<Subscription | null | Stale>

  /** By id in code point order, those after `after`. */
  list(p: { queue: QueueHandle; after: string | null; limit: number; now: Instant }): Promise<Subscription[] | Stale>

  /**
   * Changes what is given; a new ttl counts from now. A subscriber that differs makes the subscription unconfirmed
   * again, and it has no health then and does not rest; only then `isListening` is looked at, which works as with
   * `confirm`. 'conflict' when another live one of the queue has that subscriber.
   */
  update(p: {
    queue: QueueHandle
    id: string
    subscriber?: string | undefined
    ttlSeconds?: number | undefined
    options?: string | undefined
    isListening?: boolean | undefined
    vault?: string | null | undefined
    now: Instant
  }): Promise<'updated' | 'absent' | 'conflict' | Stale>

  /**
   * One that stops listening is owed no message any more; one that begins is told of what is there from now on. False
   * when there is no such subscription.
   */
  confirm(p: {
    queue: QueueHandle
    id: string
    confirmed: boolean
    isListening: boolean
    now: Instant
  }): Promise<boolean | Stale>

  /** With all that it is owed and all that is recorded of it. */
  delete(p: { queue: QueueHandle; id: string; now: Instant }): Promise<undefined | Stale>

  /** Removes all subscriptions of the queue. */
  purge(p: { queue: QueueHandle; now: Instant }): Promise<'purged' | Stale>
}

/**
 * What subscriptions are owed. A queue that has subscriptions which listen keeps a *feed*: each message enters it, body
 * and all, at its POST in the same move, or when its delay is over; so whoever deletes the message takes nothing from
 * a subscriber, nor does a purge or the end of its life. A message enters once: what is imported, comes from a claim,
 * from a dead letter queue or to one does not. (One that was imported with a delay does, when that is over.) Each
 * subscription has a place in the feed, and is owed what comes behind it. The feed goes with what was delivered from it,
 * and with the queue.
 *
 * Whoever delivers takes a *lease* of a subscription: until it ends nobody else delivers to that one, so its order is
 * kept. A lease ends by `settle`, or at `endsAt`; then another may take what is left. A store that several processes
 * cannot have open ends all leases when it is opened: whoever had them is gone.
 */
export interface DeliveryStore {
  /**
   * Leases up to `limit` subscriptions that are owed something by now, do not rest, and are not leased; those that
   * have waited longest first, roughly. Each comes with the first of what it is owed: what is to be tried again by now,
   * in the order of the feed, then what is new, in order; up to `batch`, at least one. A body that was
   * sealed and cannot be opened now is empty, which is no JSON text: such a try has failed.
   *
   * `next`: the instant from which on another lease may bring more, of itself; null: not before `watchWork` tells.
   */
  lease(p: { limit: number; seconds: number; batch: Batch; now: Instant }): Promise<{
    leases: Lease[]
    next: Instant | null
  }>

  /**
   * Says what became of notifications of a lease; those not named are owed as before. `outcomes` go by the order in
   * which they were handed out, and name a beginning of it. What is not owed any more is passed over. An announcement
   * that failed leaves no record. `log`, JSON texts, is kept as the end of what `log` answers, which holds at most
   * `keep.log`; of the failures that have not expired at most `keep.failures` stay, the latest. (A settlement that adds
   * none may leave both as they are.) `health` as it is from now on, unless the subscriber is another than that of
   * `lease.subscription`: then it stays as it is, for it tells of the new one.
   *
   * With `next` the lease goes on for so many seconds from now, and answers the next notifications, as `lease` would;
   * it has ended if there are none. Without it has ended, and with `restsUntil` the subscription is not leased before.
   * The answer shows the subscription as it is then, with all that was changed since it was leased. A vault that was
   * sealed and cannot be opened now is null, and the lease has ended.
   *
   * 'lost', having done nothing, when the lease has ended already, or the subscription has.
   */
  settle(p: {
    lease: Lease
    outcomes: readonly Outcome[]
    log: readonly string[]
    keep: { readonly log: number; readonly failures: number }
    health: Health | null
    next: { readonly seconds: number; readonly batch: Batch } | null
    restsUntil: Instant | null
    now: Instant
  }): Promise<
    | { readonly subscription: Subscription; readonly notifications: readonly Notification[]; readonly endsAt: Instant }
    | 'lost'
  >

  /**
   * The subscription is owed that too, at once, whether it listens or not; an announcement that it is owed already is
   * owed no more, so there is never but one. False when there is no such subscription.
   */
  announce(p: { queue: QueueHandle; id: string; text: string; now: Instant }): Promise<boolean | Stale>

  /**
   * What failed at last, those that failed first first; those of a page behind `after`, the marker of another. What is
   * no marker counts as null. Null when there is no such subscription.
   */
  failures(p: {
    queue: QueueHandle
    id: string
    after: string | null
    limit: number
    now: Instant
  }): Promise<{ failures: Failure[]; marker: string | null } | null | Stale>

  /**
   * Owes the messages again that have failed, from now on and as if they had never been tried: of those that failed at
   * `since` or later, where it is given, the ones whose ids are given, or else the first `limit`. They are no failures
   * then, and have their old places in the order of the feed. Answers the ids of the messages, in the order in which they had failed. Null when there is no such
   * subscription, or it does not listen.
   */
  replay(p: {
    queue: QueueHandle
    id: string
    messageIds: readonly string[] | null
    since: Instant | null
    limit: number
    now: Instant
  }): Promise<string[] | null | Stale>

  /** What `settle` was told lately, the latest last. Null when there is no such subscription. */
  log(p: { queue: QueueHandle; id: string; now: Instant }): Promise<string[] | null | Stale>
}

/** How much of what a subscription is owed is handed out at once. */
export interface Batch {
  readonly notifications: number
  /** Of bodies, in UTF-8; passed by the last of them only, or by one alone. */
  readonly bytes: number
}

export interface Lease {
  /** Names the lease: another one of the same subscription has another. */
  readonly id: string
  readonly queue: Queue
  readonly subscription: Subscription
  readonly endsAt: Instant
  readonly notifications: readonly Notification[]
}

/** Delivered, or passed over; to be tried again; or failed at last, which leaves a record until `expiresAt`. */
export type Outcome =
  | { readonly ref: string; readonly became: 'done' }
  | { readonly ref: string; readonly became: 'postponed'; readonly until: Instant; readonly attempts: string }
  | { readonly ref: string; readonly became: 'failed'; readonly attempts: string; readonly expiresAt: Instant }

/**
 * Pools and flavors: which engines there are, and which of them queues of a flavor go to. Pools are there for all
 * projects, flavors for one. In each project a pool belongs to at most one flavor; what it belongs to in another does
 * not show.
 */
export interface PoolStore {
  /**
   * Creates or overwrites; what the pool belongs to in other projects stays. 'uri-in-use' when another pool has the
   * URI; 'draining' when it is being drained and would get a weight.
   */
  putPool(p: { project: string; pool: Pool }): Promise<'stored' | 'uri-in-use' | 'draining'>
  getPool(p: { project: string; name: string }): Promise<Pool | null>
  /** By name in code point order, those after `after`. */
  listPools(p: { project: string; after: string | null; limit: number }): Promise<Pool[]>
  /** Changes what is given, the flavor in this project alone. Answers the pool as it is then, or as `putPool`. */
  updatePool(p: {
    project: string
    name: string
    uri?: string | undefined
    weight?: number | undefined
    options?: string | undefined
    flavor?: string | null | undefined
  }): Promise<Pool | 'absent' | 'uri-in-use' | 'draining'>
  /**
   * Takes the pool out of its flavors, and forgets its drain. Not when it is the last pool of one, in any project: `flavors` names those; nor
   * while queues are placed on it, settled or not.
   */
  deletePool(p: {
    name: string
  }): Promise<
    { deleted: true } | { deleted: false; flavors: string[] } | { deleted: false; holds: 'queues' | 'departures' }
  >

  /**
   * Creates the flavor if it is missing. The pools join it, out of what they belonged to; those that it had before
   * stay. Answers the first of the pools that does not exist, and then stores nothing.
   */
  putFlavor(p: { flavor: Flavor }): Promise<{ stored: true } | { stored: false; unknownPool: string }>
  getFlavor(p: { project: string; name: string }): Promise<Flavor | null>
  /** By name in code point order, those after `after`. */
  listFlavors(p: { project: string; after: string | null; limit: number }): Promise<Flavor[]>
  /** As `putFlavor`, but the flavor must exist, and has these pools alone then. */
  updateFlavor(p: { flavor: Flavor }): Promise<{ stored: true } | { stored: false; unknownPool: string } | 'absent'>
  /** Its pools belong to nothing then. */
  deleteFlavor(p: { project: string; name: string }): Promise<void>
}

/**
 * The catalogue: on which pool each queue lies. It only refers to queues; that one is there, its pool says. See
 * docs/decisions/pools.md for the order of the steps.
 *
 * A move that takes a placement does nothing when the row is not of that version any more. Whoever watches a queue
 * (`QueueEngine.watch`) in the store of the catalogue is told when its placement is settled, moved or removed.
 */
export interface PlacementStore {
  get(p: { key: QueueKey }): Promise<Placement | null>

  /**
   * Where there is a placement, that one, with a new version if the last that was done with it was to take its mark
   * away: so who deletes a queue notices who makes it, and those who make it do not disturb each other. Else a new one, not settled, on one of the pools of the flavor, or of those that belong to none in the project; none of `without`, and
   * none of weight 0. `draw`, from 0 to below 1, picks one in proportion to their weights, in the order of their names.
   * 'no-pool' when there is none to pick.
   */
  place(p: {
    key: QueueKey
    flavor: string | null
    without: readonly string[]
    draw: number
  }): Promise<{ placement: Placement; isNew: boolean } | 'no-pool'>

  /**
   * Places on the pool, settled, what lies in this very store without a placement: of the `limit` queues and topics behind
   * `after`, in the order of `listPool`. Answers the last of them; null when there are no more, or there is no such pool.
   */
  adopt(p: { pool: string; after: QueueKey | null; limit: number }): Promise<QueueKey | null>

  settle(p: { placement: Placement }): Promise<boolean>

  /** Takes the mark away. Null when there is none on that pool; or, where a version is given, none of that. */
  unsettle(p: { key: QueueKey; pool: string; version?: string | undefined }): Promise<Placement | null>

  /**
   * To another pool, or to the same, with a new version; settled or not as before. `token` and `target`, null where they
   * are left out, say that it is on its way; see `Placement`. Null where nothing was done, or there is no such pool.
   */
  move(p: {
    placement: Placement
    pool: string
    token?: string | null | undefined
    target?: string | null | undefined
  }): Promise<Placement | null>

  remove(p: { placement: Placement }): Promise<boolean>

  /** By name in code point order, those after `after`. */
  list(p: {
    project: string
    kind: QueueKey['kind']
    after: string | null
    limit: number
    nameContains: string | null
  }): Promise<Placement[]>

  /** How many settled ones the project has on each pool; pools without any need not be named. */
  count(p: { project: string; kind: QueueKey['kind'] }): Promise<{ pool: string; queues: number }[]>

  /** Those on one pool, settled or not, behind `after`: by project, kind and name, each in code point order. */
  listPool(p: { pool: string; after: QueueKey | null; limit: number }): Promise<Placement[]>
}

export interface Placement extends QueueKey {
  readonly pool: string
  /** Exchanged whenever the placement changes, and never used again. */
  readonly version: string
  /** Whether the queue is there without a question: not while it is being made or deleted. */
  readonly isSettled: boolean
  /** Of the last move to another pool, which is under way, or has brought the queue here; null: there was none. */
  readonly token: string | null
  /** The pool that it is on its way to. */
  readonly target: string | null
}

/**
 * What operators have asked for: drains of pools, each named by its pool, and the rebalance, named by null. Whoever
 * works at one has a lease of it, until it is given back or its time is over; then another goes on.
 */
export interface RelocationStore {
  /**
   * Asks for one. One that is active goes on, at that rate; in place of one that has ended there is a new one. A pool that
   * is drained has no weight from then on. 'no-pool' when there is none of that name.
   */
  begin(p: { pool: string | null; rate: number | null; now: Instant }): Promise<Relocation | 'no-pool'>

  get(p: { pool: string | null }): Promise<Relocation | null>

  /**
   * Ends it, if it is active or has failed: its pool has the weight again that it had before, unless it has another by
   * now. Answers it as it is then; null when there is none.
   */
  cancel(p: { pool: string | null; now: Instant }): Promise<Relocation | null>

  /** Takes one that is active and that nobody has a lease of by now. Null when there is none. */
  lease(p: { seconds: number; now: Instant }): Promise<LeasedRelocation | null>

  /**
   * Tells how it gets on. `queuesMoved` and `recordsMoved` are added to what was told before. The lease ends after
   * `seconds` from now. `ends`: it is done, or has failed, unless it was cancelled meanwhile. Answers it as it is then.
   * 'lost', having done nothing, when the lease is another's, or that was asked for anew.
   */
  settle(p: {
    pool: string | null
    lease: string
    queuesLeft: number | null
    queuesMoved: number
    recordsMoved: number
    trouble: string | null
    seconds: number
    ends: 'done' | 'failed' | null
    now: Instant
  }): Promise<Relocation | 'lost'>
}

export interface LeasedRelocation {
  readonly relocation: Relocation
  /** Names the lease: another has another. */
  readonly lease: string
}

/** What an engine is, and what it can do beyond the contract. */
export interface Abilities {
  /** What the engine is called. */
  readonly engine: string
  /** What was answered is still there when the store is closed and opened again. */
  readonly survivesReopen: boolean
  /** Any number of processes may have the store open, and are one service then. */
  readonly severalProcesses: boolean
  /** It is a `Registry` too. */
  readonly keepsRegistry: boolean
  /** It carries what departs itself: there are no `departures`, and `elsewhere` is not looked at. */
  readonly carriesDepartures?: true
}

/** What an engine tells of all projects to those who watch the service. */
export interface CensusStore {
  /**
   * Counts of queues and topics, those behind `after`, in the order of project, kind and name, each in code point order; at
   * most `limit`. What has expired may count until housekeeping has freed its space. Costs the same whatever the queues
   * hold.
   */
  queues(p: { after: QueueKey | null; limit: number }): Promise<CountedQueue[]>

  /**
   * Messages in feeds, of which not every subscription was told yet, and tries that wait for their time. Neither is
   * counted beyond `limit`.
   */
  owed(p: { limit: number }): Promise<{ feed: number; retries: number }>
}

export interface CountedQueue extends QueueKey {
  /** Messages that no claim holds, delayed ones too; and those that one holds. */
  readonly free: number
  readonly claimed: number
  /** When the first message by place was posted, or where none has a place yet the delayed one that is due first. */
  readonly oldestAt: Instant | null
}

/**
 * Takes a queue with all that hangs on it from one engine to another while it is in use; see docs/decisions/drain.md. In
 * the engine that it leaves, changes are noted from `begin` on, and `read` hands out records: first everything, then
 * what has changed since. The other engine makes a *copy* by `receive`, and stores the records by `write`. At last the
 * queue is fenced where it leaves, what is left is read and written, the copy is completed, and whoever knows where
 * queues lie says that it lies there now.
 *
 * A queue that is *fenced*, as each copy is from the beginning, serves nobody: moves with a handle answer `STALE`,
 * `queues.get` and `queues.create` throw `QueueMoving`, nothing of it is leased, nothing departs from it, and dead
 * letters for it depart. `watch` and `watchSubscriptions` tell when it is fenced, served again, or dropped.
 *
 * Ids of messages and claims, markers, places, claims with what they hold, idempotency records, what is owed to
 * subscriptions and what is recorded of them, leases with their names and the refs of what was handed out: all are in
 * the copy as they were.
 *
 * `token` names an attempt at the move. Calls with another than the last one do nothing and answer 'lost'.
 */
export interface MoveStore {
  /**
   * Notes from now on what changes in the queue. Answers a name for the copy: the same one as long as what was noted
   * is kept, and nobody emptied the queue; so whoever has a part of that copy need not begin anew. Null when there is
   * no such queue. What nobody reads for `NOTED_MS` is forgotten.
   */
  begin(p: { key: QueueKey; now: Instant }): Promise<string | null>

  /**
   * The next records, at most `limit`, and hardly more than `bytes`. `cursor`, from the page before, says that its
   * records are stored; null: from the beginning. `left`: whether there is more by now. 'lost' when that copy cannot be
   * gone on with: the queue has gone, was emptied, or what was noted was forgotten.
   */
  read(p: {
    key: QueueKey
    copy: string
    cursor: string | null
    limit: number
    bytes: number
    now: Instant
  }): Promise<MovedPage | 'lost'>

  /** Fences the queue. Who finds it fenced after `until` may end that, as far as this engine is concerned. */
  fence(p: { key: QueueKey; copy: string; token: string; until: Instant; now: Instant }): Promise<'fenced' | 'lost'>

  /**
   * Makes the copy, in place of another, or of a fenced queue; goes on with one of that name, and answers how far it has
   * come. 'occupied' where a queue serves.
   */
  receive(p: {
    key: QueueKey
    copy: string
    token: string
    now: Instant
  }): Promise<{ cursor: string | null } | 'occupied'>

  /** Stores records, in order, and with them the cursor. To do it twice is harmless. */
  write(p: {
    key: QueueKey
    token: string
    records: readonly MovedRecord[]
    cursor: string
    now: Instant
  }): Promise<'stored' | 'lost'>

  /** Ends the fence: the queue, or the copy, serves. */
  lift(p: { key: QueueKey; token: string; now: Instant }): Promise<'lifted' | 'lost'>

  /** Removes the queue, or the copy, that is fenced with the token. */
  drop(p: { key: QueueKey; token: string; now: Instant }): Promise<'dropped' | 'lost'>

  /** Notes no longer what changes in the queue. One that is fenced stays so. */
  end(p: { key: QueueKey; now: Instant }): Promise<void>

  /** What is fenced, in any order, at most `limit`. */
  fenced(p: { limit: number; now: Instant }): Promise<FencedQueue[]>
}

export interface FencedQueue {
  readonly key: QueueKey
  readonly role: 'leaving' | 'arriving'
  readonly token: string
  readonly until: Instant
}

/** How long what has changed in a queue on its way is noted, since somebody read it last, in milliseconds. */
export const NOTED_MS = 600_000

export interface MovedPage {
  readonly records: readonly MovedRecord[]
  readonly cursor: string
  readonly left: boolean
}

/**
 * A row as all engines know it, whose columns docs/engines.md lists; null: it is gone. `key` names it within the queue
 * and among those of its kind: what hangs on a subscription, by its id and a number.
 */
export interface MovedRecord {
  readonly of: RecordKind
  readonly key: readonly (string | number)[]
  readonly row: Readonly<Record<string, Json>> | null
}

/** In the order in which records of one page come. `line`: nothing is owed to that subscription any more. */
export const RECORD_KINDS = [
  ...(['queue', 'subscription', 'line', 'message', 'delayed', 'claim', 'idempotency', 'arrival'] as const),
  ...(['departure', 'feed', 'owed', 'failure', 'log', 'gone'] as const),
] as const
export type RecordKind = (typeof RECORD_KINDS)[number]

/** How long removed messages are kept at least, in milliseconds; see `QueueEngine.keepGone`. */
export const GONE_MS = 60_000

/** What keeps queues and what is in them. */
export interface QueueEngine {
  readonly abilities: Abilities
  readonly queues: Pick<QueueStore, 'create' | 'get' | 'update' | 'delete' | 'stats'>
  readonly messages: MessageStore
  readonly claims: ClaimStore
  readonly subscriptions: SubscriptionStore
  readonly deliveries: DeliveryStore
  /** An engine may do without; then its queues stay where they are. */
  readonly moves?: MoveStore

  /** Says in a sentence how answers to writes are weaker at present than `Durable` demands; null when they are not. */
  weakness(): string | null

  /**
   * Calls `listener` whenever there may be something new to claim or list in the queue: after a commit that stored or
   * freed messages, when a delay is over, when a claim has ended, on whatever node. It is a hint: it may come without
   * reason, never fails to come. `queue` is the handle, where there is one; the queue need not exist. Answers the
   * function that ends it.
   *
   * A listener that throws hurts neither a move nor another listener; what it threw is a bug, which the engine reports
   * by `process.emitWarning` (see `tellListeners`).
   */
  watch(queue: QueueKey, listener: () => void): () => void

  /**
   * Calls `listener` whenever subscriptions of the queue are not as they were: changed, confirmed or removed, one or
   * all, also with the queue, on whatever node. (Not for one that is created, nor at its expiry, nor for what deliveries
   * say of it.) A hint, as with `watch`. Answers the function that ends it.
   */
  watchSubscriptions(queue: QueueKey, listener: () => void): () => void

  /**
   * Keeps what is removed for whoever follows the queue, so that he is told also of what a consumer takes away at once.
   * From when it resolves until its answer is called, on whatever node: a message that `delete`, `deleteMany`, `pop` or
   * `exchange` removes, or that moves to another queue or departs, can still be listed with `includeGone`, by any client,
   * for `GONE_MS` after the `now` of that move: perhaps longer, but not longer than it would have lived. One that was
   * removed while nobody kept it need not be there, and is not where nobody has kept the queue yet. One that expires or
   * is purged cannot be listed, nor one that had no place yet; and what is kept goes with the contents of the queue, when
   * they are purged or the queue is deleted. The queue need not exist; it may go and come again. What is kept may be
   * lost with the process that keeps it. To call the answer twice is harmless.
   *
   * An engine that bounds how much it keeps may drop some before `GONE_MS`, of the project that keeps most. From then on,
   * as long as the queue is kept, listings that begin before the place of such a message answer `missed`. They may do
   * so for what was dropped in time, too. So who has read within the last `GONE_MS`, and is not told that he missed
   * something, has missed nothing.
   * @throws StorageUnavailable
   */
  keepGone(queue: QueueKey): Promise<() => void>

  /**
   * Calls `listener` whenever `deliveries.lease` may bring something before the instant that it answered last, on
   * whatever node that came about. A hint, as with `watch`. Answers the function that ends it.
   */
  watchWork(listener: () => void): () => void

  /** Resolves when the engine can read and write; throws StorageUnavailable otherwise. */
  ping(): Promise<void>

  /** Waits for the moves under way, refuses new ones with StorageUnavailable. May be called twice. */
  close(): Promise<void>
}

/** What is known of a project as a whole, whichever engine keeps its queues; and which engines there are. */
export interface Registry {
  readonly queues: Pick<QueueStore, 'list' | 'count' | 'usage'>
  readonly pools: PoolStore
  /**
   * The key under which ids and markers of the service are sealed, 16 bytes, made with the registry. An engine that is
   * opened with it understands those that others gave out.
   */
  readonly idKey: Uint8Array
  readonly placements: PlacementStore
  readonly relocations: RelocationStore
  /** An engine may do without. */
  readonly census?: CensusStore
}

export type Storage = QueueEngine & Registry

/** The engine cannot serve now; nothing was promised. Trying again later may help. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable'
}

/** The engine cannot be reached. What was asked of it has not happened, and does not happen later. */
export class StorageUnreached extends StorageUnavailable {}

/** There is no room for anything new. What is there can be read, and removed. */
export class StorageFull extends StorageUnavailable {}

/** The queue is on its way to or from another engine, see `MoveStore`; or what is there is an old copy. */
export class QueueMoving extends StorageUnavailable {
  readonly role: 'leaving' | 'arriving'
  readonly token: string
  /** Who moves it has said that it would be done by then. */
  readonly until: Instant

  constructor({ role, token, until }: { role: 'leaving' | 'arriving'; token: string; until: Instant }) {
    super('The queue is being moved')
    this.role = role
    this.token = token
    this.until = until
  }
}
