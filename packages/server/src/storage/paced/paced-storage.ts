import type { MemoryBudget } from '../../platform/memory-budget.ts'
import {
  type Claim,
  type ClaimStore,
  type DeliveryStore,
  type Message,
  type MessageStore,
  type QueueKey,
  type QueueStore,
  STALE,
  type Stale,
  type Storage,
  type SubscriptionStore,
} from '../contract.ts'
import { AnswerSizes } from './answer-sizes.ts'
import { Slots } from './slots.ts'

/** Sizes in bytes. They may change: each move reads them. */
export interface PaceLimits {
  readonly maxMessagesPostBytes: number
  readonly maxQueueMetadataBytes: number
  /** Messages that a claim holds at the most. */
  readonly maxMessagesPerClaimOrPop: number
}

/** Answers up to this size, in bytes, are read without asking the budget. */
const SMALL_BYTES = 64 * 1024
/** Moves that hand out something, at one time. Enough to fill a group of any engine. */
const AT_ONCE = 64
/** A body is there as a row and as a part of an answer. */
const COPIES = 2

/**
 * Puts the budget of memory around a storage: what hands out long answers waits until there is room for them, so that a
 * hundred readers who ask at the same time are served one after the other instead of being held in memory together.
 * Queues with small messages are known as such and never wait. A queue of which nothing is known yet counts as one with
 * the largest.
 */
export function pacedStorage(storage: Storage, budget: MemoryBudget, limits: PaceLimits): Storage {
  const pace = new Pace(budget)
  return {
    abilities: storage.abilities,
    queues: pacedQueues(storage.queues, pace, limits),
    messages: pacedMessages(storage.messages, pace, limits),
    claims: pacedClaims(storage.claims, pace, limits),
    subscriptions: pacedSubscriptions(storage.subscriptions, pace, limits),
    deliveries: pacedDeliveries(storage.deliveries, pace, limits),
    pools: storage.pools,
    placements: storage.placements,
    relocations: storage.relocations,
    idKey: storage.idKey,
    weakness: () => storage.weakness(),
    watch: (queue, listener) => storage.watch(queue, listener),
    watchSubscriptions: (queue, listener) => storage.watchSubscriptions(queue, listener),
    keepGone: (queue) => storage.keepGone(queue),
    watchWork: (listener) => storage.watchWork(listener),
    ping: () => storage.ping(),
    close: () => storage.close(),
  }
}

/** What may become long, as far as that is known before it is read. */
interface Expected {
  /** Whose documents these are. */
  readonly of: QueueKey
  readonly sizes: AnswerSizes
  /** Documents in the answer, and bytes of each, at the most. */
  readonly count: number
  readonly maxBytes: number
}

class Pace {
  readonly messages = new AnswerSizes()
  readonly metadata = new AnswerSizes()
  readonly subscriptions = new AnswerSizes()
  readonly #budget: MemoryBudget
  readonly #slots = new Slots(AT_ONCE)

  constructor(budget: MemoryBudget) {
    this.#budget = budget
  }

  /** Runs a move when there is room for its answer. `largestIn` finds the largest document of an answer, in bytes. */
  async run<T>(expected: Expected, move: () => Promise<T>, largestIn: (answer: T) => number): Promise<T> {
    if (bytesOf(expected) > SMALL_BYTES) return this.#runLong(expected, move, largestIn)
    const turn = this.#slots.enter()
    if (turn !== undefined) await turn
    try {
      // Those before may have found that the documents are large by now.
      if (turn === undefined || bytesOf(expected) <= SMALL_BYTES) return learn(expected, await move(), largestIn)
    } finally {
      this.#slots.leave()
    }
    return this.#runLong(expected, move, largestIn)
  }

  async #runLong<T>(expected: Expected, move: () => Promise<T>, largestIn: (answer: T) => number): Promise<T> {
    const holding = await this.#budget.wait(COPIES * bytesOf(expected))
    try {
      return learn(expected, await move(), largestIn)
    } finally {
      // By then the answer is on its way, and whoever sends it counts what is left of it.
      setImmediate(() => holding.release())
    }
  }
}

function bytesOf({ of, sizes, count, maxBytes }: Expected): number {
  return count * Math.min(sizes.of(of) ?? maxBytes, maxBytes)
}

function learn<T>({ of, sizes }: Expected, answer: T, largestIn: (answer: T) => number): T {
  const largest = largestIn(answer)
  if (largest > 0) sizes.read(of, largest)
  return answer
}

/** Of all the queues of a store one does not know which have departures. */
const ALL_QUEUES: QueueKey = { project: '', kind: 'queue', name: '' }

/** In UTF-16 units, which is near enough. */
function largestBody(messages: readonly Pick<Message, 'body'>[] | Stale): number {
  let largest = 0
  if (messages !== STALE) for (const { body } of messages) largest = Math.max(largest, body.length)
  return largest
}

function pacedQueues(queues: QueueStore, pace: Pace, limits: PaceLimits): QueueStore {
  return {
    create: (p) => queues.create(p),
    get: (p) => queues.get(p),
    update: (p) => queues.update(p),
    delete: (p) => queues.delete(p),
    list(p) {
      if (!p.withMetadata) return queues.list(p)
      // Of all the queues of a project one does not know which are asked for.
      const of = { project: p.project, kind: p.kind, name: '' }
      return pace.run(
        { of, sizes: pace.metadata, count: p.limit, maxBytes: limits.maxQueueMetadataBytes },
        () => queues.list(p),
        (listed) => listed.reduce((most, { metadata }) => Math.max(most, metadata?.length ?? 0), 0),
      )
    },
    count: (p) => queues.count(p),
    usage: (p) => queues.usage(p),
    stats: (p) =>
      pace.run(
        { of: p.queue, sizes: pace.messages, count: 2, maxBytes: limits.maxMessagesPostBytes },
        () => queues.stats(p),
        (stats) => (stats === STALE ? 0 : largestBody([stats.oldest ?? [], stats.newest ?? []].flat())),
      ),
  }
}

function expectedMessages(count: number, of: QueueKey, pace: Pace, limits: PaceLimits): Expected {
  return { of, sizes: pace.messages, count, maxBytes: limits.maxMessagesPostBytes }
}

function pacedMessages(messages: MessageStore, pace: Pace, limits: PaceLimits): MessageStore {
  const upTo = (count: number, of: QueueKey) => expectedMessages(count, of, pace, limits)
  return {
    append(p) {
      for (const { body } of p.messages) pace.messages.posted(p.queue, body.length)
      return messages.append(p)
    },
    list: (p) =>
      pace.run(
        upTo(p.limit, p.queue),
        () => messages.list(p),
        (page) => largestBody(page === STALE ? STALE : page.messages),
      ),
    get: (p) => pace.run(upTo(p.ids.length, p.queue), () => messages.get(p), largestBody),
    pop: (p) => pace.run(upTo(p.limit, p.queue), () => messages.pop(p), largestBody),
    delete: (p) => messages.delete(p),
    deleteMany: (p) => messages.deleteMany(p),
    purge: (p) => messages.purge(p),
    redrive: (p) => messages.redrive(p),
    origins: (p) => messages.origins(p),
    end: (p) => messages.end(p),
    export: (p) =>
      pace.run(
        upTo(p.limit, p.queue),
        () => messages.export(p),
        (page) => (page === STALE ? 0 : largestBody(page.messages)),
      ),
    import(p) {
      for (const { body } of p.messages) pace.messages.posted(p.queue, body.length)
      return messages.import(p)
    },
    departures: (p) =>
      pace.run(
        upTo(p.limit, ALL_QUEUES),
        () => messages.departures(p),
        (departures) => largestBody(departures.map(({ message }) => message)),
      ),
    departed: (p) => messages.departed(p),
  }
}

function pacedClaims(claims: ClaimStore, pace: Pace, limits: PaceLimits): ClaimStore {
  const upTo = (count: number, of: QueueKey) => expectedMessages(count, of, pace, limits)
  /** The claim that a key finds may hold more than is asked for now. */
  const made = ({ queue, key, limit }: { queue: QueueKey; key?: string | undefined; limit: number }) =>
    upTo(key === undefined ? limit : limits.maxMessagesPerClaimOrPop, queue)
  const largest = (claim: Claim | null | Stale) => (claim === null || claim === STALE ? 0 : largestBody(claim.messages))
  return {
    create: (p) => pace.run(made(p), () => claims.create(p), largest),
    exchange: (p) =>
      pace.run(
        made(p),
        () => claims.exchange(p),
        (answer) => (answer === STALE || 'kept' in answer ? 0 : largest(answer.claim)),
      ),
    get: (p) => pace.run(upTo(limits.maxMessagesPerClaimOrPop, p.queue), () => claims.get(p), largest),
    list: (p) => claims.list(p),
    renew: (p) => claims.renew(p),
    release: (p) => claims.release(p),
  }
}

function pacedSubscriptions(subscriptions: SubscriptionStore, pace: Pace, limits: PaceLimits): SubscriptionStore {
  return {
    create: (p) => subscriptions.create(p),
    get: (p) => subscriptions.get(p),
    list: (p) =>
      pace.run(
        { of: p.queue, sizes: pace.subscriptions, count: p.limit, maxBytes: limits.maxQueueMetadataBytes },
        () => subscriptions.list(p),
        (listed) => (listed === STALE ? 0 : listed.reduce((most, { options }) => Math.max(most, options.length), 0)),
      ),
    update: (p) => subscriptions.update(p),
    confirm: (p) => subscriptions.confirm(p),
    delete: (p) => subscriptions.delete(p),
    purge: (p) => subscriptions.purge(p),
  }
}

/** Who delivers says itself how much it takes at once. */
function pacedDeliveries(deliveries: DeliveryStore, pace: Pace, limits: PaceLimits): DeliveryStore {
  return {
    lease: (p) => deliveries.lease(p),
    settle: (p) => deliveries.settle(p),
    announce: (p) => deliveries.announce(p),
    failures: (p) =>
      pace.run(
        expectedMessages(p.limit, p.queue, pace, limits),
        () => deliveries.failures(p),
        (page) => (page === STALE || page === null ? 0 : largestBody(page.failures.map(({ message }) => message))),
      ),
    replay: (p) => deliveries.replay(p),
    log: (p) => deliveries.log(p),
  }
}
