import type { Claim, ClaimTerms } from './claim.ts'
import { NotFound } from './errors.ts'
import type { Queue } from './queue.ts'

/** After a failure that may pass, in milliseconds. */
const RETRY_MS = 1_000
/** For each try, in seconds: a connection that is dead is noticed while the claim lives. */
const TIMEOUT = 10

/** A claim that a consumer holds. Times are those of `Date.now()`. */
export class HeldClaim {
  readonly id: string
  /** Messages that are neither deleted nor to be given back. */
  open: number
  /** Messages to be given back as soon as nothing is open. */
  returned = 0
  /** When what is returned may be given back. */
  releaseAt = 0
  renewAt = 0
  /** When it ends, as far as is known. */
  endsAt = 0
  /** A request about it is under way. */
  isBusy = false
  /** It is released, was lost, or holds nothing any more. */
  isOver = false
  readonly #leaving = new AbortController()

  constructor(id: string, open: number) {
    this.id = id
    this.open = open
  }

  /** Aborted when somebody else may get the messages, or is to. */
  get signal(): AbortSignal {
    return this.#leaving.signal
  }

  /** `since`: it was made or renewed then, or later. */
  lives(since: number, milliseconds: number): void {
    this.renewAt = since + milliseconds / 2
    this.endsAt = since + milliseconds
  }

  leave(reason: Error): void {
    this.#leaving.abort(reason)
  }

  /** When it has to be looked at. */
  get dueAt(): number {
    if (this.isBusy) return this.endsAt
    return Math.min(this.endsAt, this.renewAt, this.open === 0 ? this.releaseAt : Number.POSITIVE_INFINITY)
  }
}

interface Parts {
  readonly queue: Pick<Queue, 'renewClaim' | 'releaseClaim'>
  readonly terms: ClaimTerms & { readonly ttl: number }
  /** It ended before its messages were deleted or given back. */
  readonly onLost: (claim: HeldClaim) => void
  /** Messages have been given back. */
  readonly onReleased: () => void
  readonly onError: (error: unknown) => void
}

/** The claims of a consumer: renewed while messages of them are open, released when there are only those to be given back. */
export class HeldClaims {
  readonly #parts: Parts
  readonly #lifeMs: number
  readonly #claims = new Set<HeldClaim>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAt = Number.POSITIVE_INFINITY
  /** What is given back need not be kept back before. */
  #isHurried = false
  #isEnding = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#lifeMs = parts.terms.ttl * 1000
  }

  /** Messages that are to be given back. */
  get returned(): number {
    let sum = 0
    for (const { returned } of this.#claims) sum += returned
    return sum
  }

  /** `since`: when it was asked for first. One that may have ended meanwhile is renewed before this resolves. */
  async add({ id, messages }: Claim, since: number): Promise<HeldClaim> {
    const claim = new HeldClaim(id, messages.length)
    claim.lives(since, this.#lifeMs)
    this.#claims.add(claim)
    if (Date.now() < claim.renewAt) {
      this.#lookAt(claim.dueAt)
      return claim
    }
    claim.lives(Date.now(), this.#lifeMs)
    await this.#renew(claim)
    return claim
  }

  /** One of its messages is not there any more. */
  settle(claim: HeldClaim): void {
    claim.open -= 1
    if (claim.open > 0 || claim.isOver) return
    if (claim.returned === 0) this.#forget(claim)
    else this.#lookAt(claim.dueAt)
  }

  /** One of its messages is to be given back, in so many milliseconds or later. */
  giveBack(claim: HeldClaim, delayMs: number): void {
    claim.open -= 1
    claim.returned += 1
    if (!this.#isHurried) claim.releaseAt = Math.max(claim.releaseAt, Date.now() + delayMs)
    this.#lookAt(claim.dueAt)
  }

  /** Nothing is kept back from now on. */
  hurry(): void {
    this.#isHurried = true
    for (const claim of this.#claims) claim.releaseAt = 0
    this.#lookAt(Date.now())
  }

  /** Tells all handlers that their messages are to be given back. */
  leave(reason: Error): void {
    for (const claim of this.#claims) claim.leave(reason)
  }

  /** Releases what is left, once nothing is open. Where that fails, the claim ends by itself. */
  async end(): Promise<void> {
    this.#isEnding = true
    clearTimeout(this.#timer)
    await Promise.all(Array.from(this.#claims, (claim) => this.#release(claim)))
  }

  /** One timer for all: it is moved only when something is due before. */
  #lookAt(at: number): void {
    if (at >= this.#timerAt || this.#isEnding) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => this.#look(), Math.max(0, at - Date.now()))
  }

  #look(): void {
    this.#timerAt = Number.POSITIVE_INFINITY
    const now = Date.now()
    for (const claim of this.#claims) {
      if (now >= claim.endsAt) this.#lose(claim)
      else if (claim.isBusy) continue
      else if (claim.open === 0 && now >= claim.releaseAt) void this.#release(claim)
      else if (now >= claim.renewAt) void this.#renew(claim)
    }
    for (const claim of this.#claims) this.#lookAt(claim.dueAt)
  }

  async #renew(claim: HeldClaim): Promise<void> {
    const { queue, terms, onError } = this.#parts
    const sent = Date.now()
    claim.isBusy = true
    this.#lookAt(claim.dueAt)
    try {
      await queue.renewClaim(claim.id, terms, { signal: claim.signal, timeout: TIMEOUT })
      claim.lives(sent, this.#lifeMs)
    } catch (error) {
      if (error instanceof NotFound) this.#lose(claim)
      else if (!(claim.isOver || claim.signal.aborted)) onError(error)
      claim.renewAt = Date.now() + RETRY_MS
    }
    this.#rest(claim)
  }

  async #release(claim: HeldClaim): Promise<void> {
    const { queue, onError, onReleased } = this.#parts
    claim.isBusy = true
    try {
      await queue.releaseClaim(claim.id, { timeout: TIMEOUT })
      this.#forget(claim)
      onReleased()
    } catch (error) {
      onError(error)
      claim.releaseAt = Date.now() + RETRY_MS
    }
    this.#rest(claim)
  }

  #rest(claim: HeldClaim): void {
    claim.isBusy = false
    if (!claim.isOver) this.#lookAt(claim.dueAt)
  }

  #lose(claim: HeldClaim): void {
    if (claim.isOver) return
    this.#forget(claim)
    claim.leave(new Error('The claim has ended: somebody else may get the message.'))
    this.#parts.onLost(claim)
  }

  #forget(claim: HeldClaim): void {
    claim.isOver = true
    this.#claims.delete(claim)
  }
}
