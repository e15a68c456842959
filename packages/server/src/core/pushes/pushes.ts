import type { QueueKey, Subscription } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { Clock } from '../../platform/clock.ts'
import { type Storage, StorageUnavailable } from '../../storage/contract.ts'
import { ZaqarError } from '../errors.ts'
import type { Caller, OnTrouble } from '../execute.ts'
import type { Followers } from '../followers.ts'
import type { MessageTally } from '../message-tally.ts'
import { ParsedBodies } from '../parsed-bodies.ts'
import { ProjectSeats } from '../project-seats.ts'
import type { QueueDirectory } from '../queue-directory.ts'
import type { Receiver } from '../receiver.ts'
import type { ClaimTerms } from '../rules/claim-terms.ts'
import { subscriberOf } from '../rules/subscriber.ts'
import { Seldom } from '../seldom.ts'
import { holderOf, takeClaim } from '../take-claim.ts'
import type { Takers } from '../takers.ts'
import { AtOnce } from './at-once.ts'
import { ClaimSource, type ClaimSourceParts } from './claim-source.ts'
import { ConnectionPush, type PushHooks } from './connection-push.ts'
import { Deadlines } from './deadlines.ts'
import { type FollowParts, FollowSource } from './follow-source.ts'
import { ConnectionClaims, HeldClaims } from './held-claims.ts'
import { isNoLess } from './is-no-less.ts'
import { KeptQueues } from './kept-queues.ts'
import { PushedQueue, type PushedQueueParts } from './pushed-queue.ts'

/** Of the same words: while the storage is away, every connection that goes meets it. */
const SILENCE_MS = 10_000

export interface PushesParts {
  readonly storage: Storage
  readonly queues: QueueDirectory
  readonly clock: Clock
  readonly followers: Followers
  readonly takers: Takers
  readonly tally: MessageTally
  readonly requiresConfirmation: boolean
  /** Of each project at a time, in this process. */
  readonly maxSubscriptions: number
  readonly onTrouble: OnTrouble
}

export interface PushWish {
  readonly receiver: Receiver
  readonly key: QueueKey
  readonly caller: Caller
  /** Null: it follows the queue. */
  readonly claim: ClaimTerms | null
}

/** A subscription as it was made, and the marker behind which it begins. */
interface Made {
  readonly subscription: Subscription
  readonly after: string | null
}

/**
 * Makes a subscription. `isLeftOver`: whether one of the connection, by its id, has nobody any more to whom it pushes, as
 * where it was stored though the storage failed to say so.
 */
type Make = (isLeftOver: (id: string) => boolean) => Promise<Made>

export interface Subscribed {
  /** Of the subscription. */
  readonly id: string
  /** Where it begins; null of one that claims. */
  readonly marker: string | null
  /** Nothing is pushed before it is called. */
  begin(): void
}

export interface PushCounts {
  /** That push now. */
  readonly subscriptions: number
  /** Messages that were handed to connections so far. */
  readonly pushed: number
}

interface Connection {
  readonly pushes: Map<ConnectionPush, Membership>
  readonly claims: ConnectionClaims
  /** Subscriptions that are being made for it. */
  readonly making: Set<Promise<unknown>>
  /** Those whose end is under way. */
  readonly ending: Set<Promise<unknown>>
  leaving: Promise<void> | null
}

interface Membership {
  readonly caller: Caller
  readonly queue: PushedQueue
  readonly claims: boolean
  /** Gives back what the push has of its queue. */
  leave(): void
}

/** Moves that nobody waits for, at one time. */
const AT_ONCE = 16

/** All subscriptions whose messages go to connections of this process. */
export class Pushes {
  /** What was claimed for connections; operations tell it what becomes of claims. */
  readonly held: HeldClaims
  readonly #parts: PushesParts
  readonly #deadlines: Deadlines
  readonly #kept: KeptQueues
  readonly #atOnce = new AtOnce(AT_ONCE)
  readonly #hooks: PushHooks
  readonly #followParts: FollowParts
  readonly #claimParts: ClaimSourceParts
  readonly #queueParts: PushedQueueParts
  readonly #queues = new Map<string, PushedQueue>()
  readonly #connections = new Map<Receiver, Connection>()
  readonly #gone = new WeakSet<Receiver>()
  /** Those too that are being made. */
  readonly #ofProjects: ProjectSeats
  #subscriptions = 0
  #pushed = 0
  #isClosed = false
  /** The storage is away while all is closed: what is left there ends by its time. */
  #hasGivenUp = false
  readonly #reports: Seldom

  constructor(parts: PushesParts) {
    const { storage, queues, clock, followers, takers, tally, requiresConfirmation } = parts
    this.#parts = parts
    this.#deadlines = new Deadlines(clock)
    this.#kept = new KeptQueues(storage)
    this.#reports = new Seldom(clock, SILENCE_MS, (error) =>
      parts.onTrouble(error, { operation: 'subscriptions.push' }),
    )
    this.#ofProjects = new ProjectSeats(parts.maxSubscriptions)
    const deadlines = this.#deadlines
    this.held = new HeldClaims(deadlines)
    const onPushed = (messages: number) => {
      this.#pushed += messages
    }
    const onFailure = (error: unknown) => this.#noteFailure(error)
    this.#hooks = {
      clock,
      deadlines,
      requiresConfirmation,
      onRowDue: (push) => this.#queues.get(queueId(push.key))?.reread([push]),
      onCredentialsEnd: (push) => this.#end(push),
    }
    const onMissed = (push: ConnectionPush) => {
      this.#end(push)
      push.receiver.onMissed(push)
    }
    const onBroken = (push: ConnectionPush, error: unknown) => {
      this.#reports.tell(String(error), error)
      onMissed(push)
    }
    this.#followParts = { followers, bodies: new ParsedBodies(), onPushed, onFailure, onBroken, onMissed }
    this.#claimParts = {
      takers,
      held: this.held,
      deadlines,
      clock,
      take: ({ key }, terms, now) => takeClaim(key, terms, now, { storage, queues, tally }),
      read: ({ key }, claimId) =>
        this.#atOnce.run(async () => {
          const now = clock.now()
          return queues.use(key, now, (queue) => storage.claims.get({ queue, claimId, now }))
        }),
      release: ({ key }, claimId) => this.#release(key, claimId),
      onPushed,
      onFailure,
    }
    this.#queueParts = {
      storage,
      queues,
      clock,
      deadlines,
      run: (job) => this.#atOnce.run(job),
      onRow: (push, row) => this.#see(push, row),
      onFailure,
    }
  }

  /**
   * Has messages pushed to the connection for the subscription that `make` makes. While that is under way the storage
   * keeps what is removed, and tells of changes. Nothing is pushed before `begin` is called.
   * @throws ZaqarError, StorageUnavailable, or what `make` throws; there is nothing left of it then
   */
  async subscribe(wish: PushWish, make: Make): Promise<Subscribed> {
    const { receiver, key } = wish
    const { project } = key
    if (this.#isClosed || this.#gone.has(receiver)) throw new StorageUnavailable('the connection is gone')
    const { maxSubscriptions: max } = this.#parts
    if (!this.#ofProjects.take(project)) throw new ZaqarError('subscription.too_many', { project, max })
    const connection = this.#connectionOf(receiver)
    const making = this.#enrol(wish, connection, make)
    connection.making.add(making)
    try {
      return await making
    } catch (error) {
      this.#ofProjects.leave(project)
      throw error
    } finally {
      connection.making.delete(making)
      this.#forgetIdle(receiver, connection)
    }
  }

  /** How many subscriptions push to the connection now. */
  of(receiver: Receiver): number {
    return this.#connections.get(receiver)?.pushes.size ?? 0
  }

  /**
   * Who is at the connection has shown new credentials. Subscriptions made with others of the same user live as long as
   * these, where these are good for no less.
   */
  renew(receiver: Receiver, caller: Caller): void {
    for (const [push, { caller: before }] of this.#connections.get(receiver)?.pushes ?? []) {
      if (isNoLess(caller, before)) push.renewCredentials(caller.expiresAt)
    }
  }

  /**
   * The connection is gone: ends its subscriptions, removes them from the store, and frees what was claimed for it. A
   * storage that fails is reported: what is left there ends by its time.
   */
  async gone(receiver: Receiver): Promise<void> {
    this.#gone.add(receiver)
    const connection = this.#connections.get(receiver)
    if (connection === undefined) return
    connection.leaving ??= this.#endAll(connection)
    await connection.leaving
    this.#connections.delete(receiver)
  }

  /** Does the same for all, until the storage fails. It must still be open. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#connections.keys()].map((receiver) => this.gone(receiver)))
    this.#deadlines.close()
  }

  counts(): PushCounts {
    return { subscriptions: this.#subscriptions, pushed: this.#pushed }
  }

  #connectionOf(receiver: Receiver): Connection {
    const known = this.#connections.get(receiver)
    if (known !== undefined) return known
    const connection: Connection = {
      pushes: new Map(),
      claims: new ConnectionClaims(),
      making: new Set(),
      ending: new Set(),
      leaving: null,
    }
    this.#connections.set(receiver, connection)
    return connection
  }

  #forgetIdle(receiver: Receiver, { pushes, claims, making, ending, leaving }: Connection): void {
    const isIdle = pushes.size === 0 && claims.size === 0 && making.size === 0 && ending.size === 0
    if (isIdle && leaving === null) this.#connections.delete(receiver)
  }

  async #enrol(wish: PushWish, connection: Connection, make: Make): Promise<Subscribed> {
    const { receiver, key, caller, claim } = wish
    const queue = this.#queueOf(key)
    queue.enter()
    let unkeep = () => {}
    try {
      if (claim === null) unkeep = await this.#kept.keep(key)
      const seen = queue.changes
      const { subscription, after } = await make((id) => {
        const isKnown = [...connection.pushes.keys()].some((push) => push.id === id)
        return !isKnown && connection.making.size === 1
      })
      // Its row is gone, or there could be no other: nothing of it may come behind the answer.
      for (const [push, { queue: other }] of connection.pushes) if (other === queue) this.#stop(push)
      const push = new ConnectionPush(
        { receiver, key, subscription, credentialsEnd: caller.expiresAt },
        (push) =>
          claim === null
            ? new FollowSource(push, after, this.#followParts)
            : new ClaimSource(push, { ...claim, clientId: holderOf(caller) }, connection.claims, this.#claimParts),
        this.#hooks,
      )
      const leave = () => {
        unkeep()
        queue.leave(push)
        this.#ofProjects.leave(key.project)
        this.#subscriptions -= 1
      }
      connection.pushes.set(push, { caller, queue, claims: claim !== null, leave })
      this.#subscriptions += 1
      queue.add(push, seen)
      return { id: push.id, marker: after, begin: () => push.begin() }
    } catch (error) {
      unkeep()
      queue.leave(null)
      throw error
    }
  }

  #queueOf(key: QueueKey): PushedQueue {
    const id = queueId(key)
    const known = this.#queues.get(id)
    if (known !== undefined) return known
    const queue = new PushedQueue(key, this.#queueParts, () => this.#queues.delete(id))
    this.#queues.set(id, queue)
    return queue
  }

  #see(push: ConnectionPush, row: Subscription | null): void {
    if (row === null || row.subscriber !== subscriberOf(push.receiver)) {
      this.#stop(push)
      return
    }
    push.apply(row)
    // It takes what is there. Whoever changed it may be on another node, which does not know that it claims.
    const membership = this.#connections.get(push.receiver)?.pushes.get(push)
    if (membership?.claims === true && push.filter !== null) this.#end(push)
  }

  async #endAll(connection: Connection): Promise<void> {
    const { pushes, claims, making, ending } = connection
    const endNow = () => {
      for (const push of [...pushes.keys()]) this.#end(push)
    }
    endNow()
    while (making.size > 0) await Promise.allSettled(making)
    endNow()
    while (ending.size > 0) await Promise.all(ending)
    await Promise.all(
      claims.all().map(async ({ key, id }) => {
        await this.#release(key, id)
        this.held.released(key, id)
      }),
    )
  }

  /** Stops it, and removes its subscription from the store. */
  #end(push: ConnectionPush): void {
    const { id, key } = push
    const { storage, queues, clock } = this.#parts
    const remove = () =>
      this.#tried(() =>
        queues.use(key, clock.now(), (queue) => storage.subscriptions.delete({ queue, id, now: clock.now() })),
      )
    this.#stop(push, ({ queue }) => queue.removing(remove))
  }

  /** `meanwhile` is done too. Neither fails. */
  #stop(push: ConnectionPush, meanwhile: (membership: Membership) => Promise<void> = async () => {}): void {
    const connection = this.#connections.get(push.receiver)
    const membership = connection?.pushes.get(push)
    if (connection === undefined || membership === undefined) return
    connection.pushes.delete(push)
    membership.leave()
    const ending = Promise.all([push.end(), meanwhile(membership)]).then(() => {
      connection.ending.delete(ending)
      this.#forgetIdle(push.receiver, connection)
    })
    connection.ending.add(ending)
  }

  #release(key: QueueKey, claimId: string): Promise<void> {
    const { storage, queues, clock } = this.#parts
    return this.#tried(() =>
      queues.use(key, clock.now(), (queue) => storage.claims.release({ queue, claimId, now: clock.now() })),
    )
  }

  /** A failure is reported. */
  #tried(move: () => Promise<unknown>): Promise<void> {
    return this.#atOnce.run(async () => {
      if (this.#hasGivenUp) return
      try {
        await move()
      } catch (error) {
        this.#reports.tell(String(error), error)
        if (this.#isClosed && error instanceof StorageUnavailable) this.#hasGivenUp = true
      }
    })
  }

  /** Of something that will be tried again: one of the storage is no news, and any other comes to many. */
  #noteFailure(error: unknown): void {
    if (!(error instanceof StorageUnavailable)) this.#reports.tell(String(error), error)
  }
}
