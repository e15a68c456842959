import type { Message } from './documents.ts'
import type { CallOptions } from './requests.ts'

/** Seconds; what the service says where one is not given. */
export interface ClaimTerms {
  /** Life of the claim. */
  readonly ttl?: number | undefined
  /** How much longer than the claim its messages live at least. */
  readonly grace?: number | undefined
}

/** Messages that nobody else gets while the claim lives. */
export class Claim<Body = unknown> {
  readonly id: string
  readonly messages: readonly Message<Body>[]
  readonly #queue: ClaimedQueue

  constructor(queue: ClaimedQueue, id: string, messages: readonly Message<Body>[]) {
    this.#queue = queue
    this.id = id
    this.messages = messages
  }

  /** It ends so much later from now. @throws NotFound when it has ended */
  renew(terms: ClaimTerms, options?: CallOptions): Promise<void> {
    return this.#queue.renewClaim(this.id, terms, options)
  }

  /** What was not deleted can be claimed again at once. */
  release(options?: CallOptions): Promise<void> {
    return this.#queue.releaseClaim(this.id, options)
  }

  /** The message is done. */
  delete(message: Pick<Message, 'id'>, options?: CallOptions): Promise<void> {
    return this.#queue.deleteMessage(message.id, this.id, options)
  }
}

/** What a claim asks of its queue. */
interface ClaimedQueue {
  renewClaim(id: string, terms: ClaimTerms, options?: CallOptions): Promise<void>
  releaseClaim(id: string, options?: CallOptions): Promise<void>
  deleteMessage(id: string, claimId: string, options?: CallOptions): Promise<void>
}
