import type { Claim, Instant, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import type { Deadlines, Timed } from './deadlines.ts'

/**
 * What a connection has claimed. Its subscriptions to a queue come one after the other, and what one has claimed counts
 * for the next.
 */
export class ConnectionClaims {
  readonly #queues = new Map<string, Set<HeldClaim>>()
  /** Who takes more of a queue when there is room. */
  readonly #takers = new Map<string, () => void>()

  get size(): number {
    return this.#queues.size
  }

  all(): HeldClaim[] {
    return [...this.#queues.values()].flatMap((claims) => [...claims])
  }

  of(key: QueueKey): HeldClaim[] {
    return [...(this.#queues.get(queueId(key)) ?? [])]
  }

  /** How many messages of the queue are held. */
  messagesOf(key: QueueKey): number {
    return this.of(key).reduce((sum, { messages }) => sum + messages.size, 0)
  }

  /** `onFreed` is called when fewer messages of the queue are held. */
  watch(key: QueueKey, onFreed: () => void): void {
    this.#takers.set(queueId(key), onFreed)
  }

  unwatch(key: QueueKey, onFreed: () => void): void {
    const id = queueId(key)
    if (this.#takers.get(id) === onFreed) this.#takers.delete(id)
  }

  add(claim: HeldClaim): void {
    const id = queueId(claim.key)
    const claims = this.#queues.get(id) ?? new Set()
    this.#queues.set(id, claims.add(claim))
  }

  delete(claim: HeldClaim): void {
    const id = queueId(claim.key)
    const claims = this.#queues.get(id)
    claims?.delete(claim)
    if (claims?.size === 0) this.#queues.delete(id)
  }

  freed(key: QueueKey): void {
    this.#takers.get(queueId(key))?.()
  }
}

/** Of one queue. */
interface HeldQueue {
  readonly claims: Map<string, HeldClaim>
  /** Those that hold a message, by its id. */
  readonly messages: Map<string, HeldClaim>
}

/** A claim that was made for a connection, as far as its messages are still held. */
export class HeldClaim implements Timed {
  readonly id: string
  readonly key: QueueKey
  readonly holder: ConnectionClaims
  readonly messages: Set<string>
  readonly #onOver: (claim: HeldClaim) => void

  constructor({ id, messages }: Claim, key: QueueKey, holder: ConnectionClaims, onOver: (claim: HeldClaim) => void) {
    this.id = id
    this.key = key
    this.holder = holder
    this.messages = new Set(messages.map(({ id }) => id))
    this.#onOver = onOver
  }

  onTime(): void {
    this.#onOver(this)
  }
}

/**
 * The claims that were made for connections of this process. Operations tell what becomes of claims and messages, so
 * that the holders know when they may take more. What happens on other nodes is seen by those who hold all they may,
 * who look; else at the end of the claim.
 */
export class HeldClaims {
  readonly #deadlines: Deadlines
  readonly #queues = new Map<string, HeldQueue>()

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines
  }

  hold(claim: Claim, key: QueueKey, holder: ConnectionClaims): void {
    const id = queueId(key)
    const queue = this.#queues.get(id) ?? { claims: new Map(), messages: new Map() }
    this.#queues.set(id, queue)
    const held = new HeldClaim(claim, key, holder, (ended) => this.#drop(ended))
    queue.claims.set(held.id, held)
    for (const message of held.messages) queue.messages.set(message, held)
    holder.add(held)
    this.#deadlines.set(held, claim.renewedAt + claim.ttlSeconds * 1000)
  }

  /** Is there no more, or was not there. */
  deleted(key: QueueKey, messageId: string): void {
    const held = this.#queueOf(key)?.messages.get(messageId)
    if (held === undefined) return
    if (held.messages.size === 1) {
      this.#drop(held)
      return
    }
    this.#queueOf(key)?.messages.delete(messageId)
    held.messages.delete(messageId)
    held.holder.freed(key)
  }

  released(key: QueueKey, claimId: string): void {
    const held = this.#queueOf(key)?.claims.get(claimId)
    if (held !== undefined) this.#drop(held)
  }

  renewed(key: QueueKey, claimId: string, endsAt: Instant): void {
    const held = this.#queueOf(key)?.claims.get(claimId)
    if (held !== undefined) this.#deadlines.set(held, endsAt)
  }

  /** The queue has no claims any more. */
  purged(key: QueueKey): void {
    for (const held of [...(this.#queueOf(key)?.claims.values() ?? [])]) this.#drop(held)
  }

  #queueOf(key: QueueKey): HeldQueue | undefined {
    return this.#queues.size === 0 ? undefined : this.#queues.get(queueId(key))
  }

  #drop(held: HeldClaim): void {
    const { key, id, holder, messages } = held
    const queue = this.#queueOf(key)
    if (!queue?.claims.delete(id)) return
    // A message may have been claimed anew.
    for (const message of messages) if (queue.messages.get(message) === held) queue.messages.delete(message)
    if (queue.claims.size === 0) this.#queues.delete(queueId(key))
    this.#deadlines.delete(held)
    holder.delete(held)
    holder.freed(key)
  }
}
