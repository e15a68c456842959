import type { Instant } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import type { ClaimTerms } from '../rules/claim-terms.ts'
import type { FoundClaim } from '../take-claim.ts'
import type { Taker, Takers } from '../takers.ts'
import type { ConnectionPush, PushSource } from './connection-push.ts'
import type { Deadlines, Due } from './deadlines.ts'
import type { HeldClaim, HeldClaims, Holder } from './held-claims.ts'

export interface ClaimSourceParts {
  readonly takers: Takers
  readonly held: HeldClaims
  readonly deadlines: Deadlines
  readonly clock: Clock
  take(push: ConnectionPush, terms: ClaimTerms, now: Instant): Promise<FoundClaim | null>
  /** Frees what was claimed in vain. Does not throw. */
  release(push: ConnectionPush, claimId: string): Promise<void>
  onPushed(messages: number): void
  /** Nothing could be claimed; it is tried again. */
  onFailure(error: unknown): void
}

/** After a failure, in milliseconds. */
const RETRY_MS = 1_000

/** Thrown out of an attempt that must not be made any more: others in the line must not take it for an empty queue. */
const OVER = new Error('the subscription is over')

/** Claims messages as long as fewer are held than it may. */
export class ClaimSource implements PushSource, Holder, Due {
  readonly claims: Set<HeldClaim>
  readonly #push: ConnectionPush
  readonly #terms: ClaimTerms
  readonly #parts: ClaimSourceParts
  #held = 0
  #taker: Taker | null = null
  #releasing: Promise<void> = Promise.resolve()

  /** `claims`: all that the connection has. `terms.limit`: what it may hold. */
  constructor(push: ConnectionPush, terms: ClaimTerms, claims: Set<HeldClaim>, parts: ClaimSourceParts) {
    this.#push = push
    this.#terms = terms
    this.claims = claims
    this.#parts = parts
  }

  start(): void {
    this.#stand()
  }

  async stop(): Promise<void> {
    this.#parts.deadlines.delete(this)
    const taker = this.#taker
    this.#taker = null
    await taker?.leave()
    await this.#releasing
  }

  onFreed(messages: number): void {
    this.#held -= messages
    this.#stand()
  }

  due(): void {
    this.#stand()
  }

  /** In the line, where there is room for more. */
  #stand(): void {
    if (this.#taker !== null || this.#held >= this.#terms.limit || !this.#push.mayPush()) return
    const taker = this.#parts.takers.join(this.#push.key, (now) => this.#take(now), {
      resolve: (found) => {
        if (this.#taker === taker) this.#taker = null
        this.#hand(found)
        this.#stand()
      },
      reject: (error) => {
        if (this.#taker === taker) this.#taker = null
        this.#fail(error)
      },
    })
    this.#taker = taker
  }

  async #take(now: Instant): Promise<FoundClaim | null> {
    if (!this.#push.mayPush()) throw OVER
    return this.#parts.take(this.#push, { ...this.#terms, limit: this.#terms.limit - this.#held }, now)
  }

  #hand({ claim, now }: FoundClaim): void {
    const { held, release, onPushed } = this.#parts
    if (!this.#push.mayPush()) {
      this.#releasing = Promise.all([this.#releasing, release(this.#push, claim.id)]).then(() => undefined)
      return
    }
    this.#held += claim.messages.length
    held.hold(claim, this.#push.key, this)
    onPushed(claim.messages.length)
    this.#push.receiver.onClaim(this.#push, claim, now)
  }

  #fail(error: unknown): void {
    if (error === OVER) return
    this.#parts.onFailure(error)
    this.#parts.deadlines.set(this, this.#parts.clock.now() + RETRY_MS)
  }
}
