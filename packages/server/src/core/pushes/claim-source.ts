import type { Claim, Instant } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import type { FoundClaim, TakeTerms } from '../take-claim.ts'
import type { Taker, Takers } from '../takers.ts'
import type { ConnectionPush, PushSource } from './connection-push.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import type { ConnectionClaims, HeldClaims } from './held-claims.ts'

export interface ClaimSourceParts {
  readonly takers: Takers
  readonly held: HeldClaims
  readonly deadlines: Deadlines
  readonly clock: Clock
  take(push: ConnectionPush, terms: TakeTerms, now: Instant): Promise<FoundClaim | null>
  /** What the storage knows of the claim, when there is room to ask for it. */
  read(push: ConnectionPush, claimId: string): Promise<Claim | null>
  /** Frees what was claimed in vain. Does not throw. */
  release(push: ConnectionPush, claimId: string): Promise<void>
  onPushed(messages: number): void
  /** Nothing could be claimed; it is tried again. */
  onFailure(error: unknown): void
}

/** After a failure, in milliseconds. */
const RETRY_MS = 1_000
/** Who holds all he may looks so often, in milliseconds, whether others have removed some of it. */
const LOOK_MS = 15_000

/** Thrown out of an attempt that must not be made any more: others in the line must not take it for an empty queue. */
const OVER = new Error('there is nothing to be claimed for it')

/** Claims messages as long as the connection holds fewer of the queue than it may. */
export class ClaimSource implements PushSource, Timed {
  readonly #push: ConnectionPush
  readonly #terms: TakeTerms
  readonly #claims: ConnectionClaims
  readonly #parts: ClaimSourceParts
  #taker: Taker | null = null
  /** Attempts that it has left, and what they took in vain. */
  #leaving: Promise<unknown> = Promise.resolve()
  #isLooking = false

  /** `claims`: of the connection. `terms.limit`: how many messages it may hold. */
  constructor(push: ConnectionPush, terms: TakeTerms, claims: ConnectionClaims, parts: ClaimSourceParts) {
    this.#push = push
    this.#terms = terms
    this.#claims = claims
    this.#parts = parts
  }

  start(): void {
    this.#claims.watch(this.#push.key, this.#stand)
    this.#stand()
  }

  async stop(): Promise<void> {
    this.#parts.deadlines.delete(this)
    this.#claims.unwatch(this.#push.key, this.#stand)
    const taker = this.#taker
    this.#taker = null
    if (taker !== null) this.#alsoLeaving(taker.leave())
    for (let seen: unknown = null; seen !== this.#leaving; ) {
      seen = this.#leaving
      await seen
    }
  }

  onTime(): void {
    if (this.#room > 0) this.#stand()
    else if (!this.#isLooking) void this.#look()
  }

  /** How many messages it may take. */
  get #room(): number {
    return this.#terms.limit - this.#claims.messagesOf(this.#push.key)
  }

  /** In the line, where there is room for more. */
  readonly #stand = (): void => {
    if (this.#taker !== null || !this.#push.mayPush()) return
    if (this.#room <= 0) {
      this.#wakeIn(LOOK_MS)
      return
    }
    const taker = this.#parts.takers.join(this.#push.key, (now) => this.#take(now), {
      resolve: (found) => {
        this.#hand(found)
        this.#standAgain(taker)
      },
      reject: (error) => {
        if (error === OVER) return this.#standAgain(taker)
        this.#parts.onFailure(error)
        if (this.#taker !== taker) return
        this.#taker = null
        this.#wakeIn(RETRY_MS)
      },
    })
    this.#taker = taker
  }

  #standAgain(taker: Taker): void {
    if (this.#taker !== taker) return
    this.#taker = null
    this.#stand()
  }

  async #take(now: Instant): Promise<FoundClaim | null> {
    const limit = this.#room
    if (!this.#push.mayPush() || limit <= 0) throw OVER
    return this.#parts.take(this.#push, { ...this.#terms, limit }, now)
  }

  #hand({ claim, now }: FoundClaim): void {
    const { held, release, onPushed } = this.#parts
    if (!this.#push.mayPush()) {
      this.#alsoLeaving(release(this.#push, claim.id))
      return
    }
    held.hold(claim, this.#push.key, this.#claims)
    onPushed(claim.messages.length)
    this.#push.receiver.onClaim(this.#push, claim, now)
  }

  /** Notes what became of the claims elsewhere. */
  async #look(): Promise<void> {
    const { held, read, onFailure } = this.#parts
    const { key } = this.#push
    this.#isLooking = true
    try {
      await Promise.all(
        this.#claims.of(key).map(async ({ id, messages }) => {
          const claim = await read(this.#push, id)
          if (claim === null) return held.released(key, id)
          const left = new Set(claim.messages.map((message) => message.id))
          for (const message of [...messages]) if (!left.has(message)) held.deleted(key, message)
        }),
      )
    } catch (error) {
      onFailure(error)
    }
    this.#isLooking = false
    this.#stand()
  }

  #alsoLeaving(one: Promise<unknown>): void {
    this.#leaving = Promise.all([this.#leaving, one])
  }

  #wakeIn(milliseconds: number): void {
    this.#parts.deadlines.set(this, this.#parts.clock.now() + milliseconds)
  }
}
