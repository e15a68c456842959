import type { MemoryBudget } from '../../platform/memory-budget.ts'
import {
  type ClaimStore,
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

/** Sizes in bytes. */
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
 * Puts the budget of memory around a storage: what hands out long answers waits until there is room for them, so that a hundred
 * readers who ask at the same time are served one after the other instead of being held in memory together. Queues with small
 * messages are known as such and never wait. A queue of which nothing is known yet counts as one with the largest.
 */
export function pacedStorage(storage: Storage, budget: MemoryBudget, limits: PaceLimits): Storage {
  const pace = new Pace(budget)
  return {
    engine: storage.engine,
    weakness: storage.weakness,
    queues: pacedQueues(storage.queues, pace, limits),
    messages: pacedMessages(storage.messages, pace, limits),
    claims: pacedClaims(storage.claims, pace, limits),
    subscriptions: pacedSubscriptions(storage.subscriptions, pace, limits),
    catalogue: storage.catalogue,
    watch: (key, listener) => storage.watch(key, listener),
    ping: () => storage.ping(),
    close: () => storage.close(),
  }
}

class Pace {
  readonly sizes = new AnswerSizes()
  readonly #budget: MemoryBudget
  readonly #slots = new Slots(AT_ONCE)

  constructor(budget: MemoryBudget) {
    this.#budget = budget
  }

  /** Runs a move whose answer has up to `count` messages of the queue. */
  async messages<T>(
    { key, count, maxBytes }: { key: QueueKey; count: number; maxBytes: number },
    move: () => Promise<T>,
    messagesOf: (answer: T) => readonly Message[],
  ): Promise<T> {
    const expected = () => count * Math.min(this.sizes.of(key) ?? maxBytes, maxBytes)
    const observed = async () => {
      const answer = await move()
      const largest = messagesOf(answer).reduce((most, { body }) => Math.max(most, body.length), 0)
      if (largest > 0) this.sizes.read(key, largest)
      return answer
    }
    if (expected() <= SMALL_BYTES) {
      const turn = this.#slots.enter()
      if (turn !== undefined) await turn
      try {
        // Those before may have found that the messages are large by now.
        if (expected() <= SMALL_BYTES) return await observed()
      } finally {
        this.#slots.leave()
      }
    }
    return this.run(expected(), observed)
  }

  /** Runs a move whose answer has about so many bytes. */
  async run<T>(bytes: number, move: () => Promise<T>): Promise<T> {
    if (bytes <= SMALL_BYTES) return move()
    const holding = await this.#budget.wait(COPIES * bytes)
    try {
      return await move()
    } finally {
      // By then the answer is on its way, and whoever sends it counts what is left of it.
      setImmediate(() => holding.release())
    }
  }
}

function pacedQueues(queues: QueueStore, pace: Pace, limits: PaceLimits): QueueStore {
  const { maxQueueMetadataBytes, maxMessagesPostBytes } = limits
  return {
    create: (p) => queues.create(p),
    get: (p) => queues.get(p),
    update: (p) => queues.update(p),
    delete: (p) => queues.delete(p),
    list: (p) => pace.run(p.withMetadata ? p.limit * maxQueueMetadataBytes : 0, () => queues.list(p)),
    count: (p) => queues.count(p),
    usage: (p) => queues.usage(p),
    stats: (p) =>
      pace.messages(
        { key: p.key, count: 2, maxBytes: maxMessagesPostBytes },
        () => queues.stats(p),
        (stats) => [stats?.oldest ?? [], stats?.newest ?? []].flat(),
      ),
  }
}

function pacedMessages(messages: MessageStore, pace: Pace, { maxMessagesPostBytes }: PaceLimits): MessageStore {
  const upTo = (count: number, key: QueueKey) => ({ key, count, maxBytes: maxMessagesPostBytes })
  const all = (found: Message[] | Stale) => (found === STALE ? [] : found)
  return {
    append(p) {
      for (const { body } of p.messages) pace.sizes.posted(p.queue, body.length)
      return messages.append(p)
    },
    list: (p) =>
      pace.messages(
        upTo(p.limit, p.queue),
        () => messages.list(p),
        (page) => (page === STALE ? [] : page.messages),
      ),
    get: (p) => pace.messages(upTo(p.ids.length, p.queue), () => messages.get(p), all),
    pop: (p) => pace.messages(upTo(p.limit, p.queue), () => messages.pop(p), all),
    delete: (p) => messages.delete(p),
    deleteMany: (p) => messages.deleteMany(p),
    purge: (p) => messages.purge(p),
    redrive: (p) => messages.redrive(p),
  }
}

function pacedClaims(claims: ClaimStore, pace: Pace, limits: PaceLimits): ClaimStore {
  const { maxMessagesPostBytes, maxMessagesPerClaimOrPop } = limits
  const upTo = (count: number, key: QueueKey) => ({ key, count, maxBytes: maxMessagesPostBytes })
  const held = (claim: { readonly messages: readonly Message[] } | null | Stale) =>
    claim === null || claim === STALE ? [] : claim.messages
  return {
    create: (p) => pace.messages(upTo(p.limit, p.queue), () => claims.create(p), held),
    get: (p) => pace.messages(upTo(maxMessagesPerClaimOrPop, p.queue), () => claims.get(p), held),
    renew: (p) => claims.renew(p),
    release: (p) => claims.release(p),
  }
}

function pacedSubscriptions(
  subscriptions: SubscriptionStore,
  pace: Pace,
  { maxQueueMetadataBytes }: PaceLimits,
): SubscriptionStore {
  return {
    create: (p) => subscriptions.create(p),
    get: (p) => subscriptions.get(p),
    list: (p) => pace.run(p.limit * maxQueueMetadataBytes, () => subscriptions.list(p)),
    update: (p) => subscriptions.update(p),
    confirm: (p) => subscriptions.confirm(p),
    delete: (p) => subscriptions.delete(p),
    purge: (p) => subscriptions.purge(p),
  }
}
