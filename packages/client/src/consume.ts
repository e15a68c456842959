import type { Message } from './documents.ts'
import { ClaimLost, ZaqarError } from './errors.ts'
import { FinishedMessages, finishedOf, type HeldMessage, isNotHeld, PAGE } from './finished-messages.ts'
import { type HeldClaim, HeldClaims } from './held-claims.ts'
import { backoff, pause } from './pause.ts'
import type { Exchanged, Queue } from './queue.ts'
import { RetryDelays } from './retry-delays.ts'
import { randomUuid } from './uuid.ts'

export interface ConsumeOptions {
  /** Handlers that run at the same time, at the most; 1 where it is not given. */
  readonly concurrency?: number
  /**
   * Messages that are claimed at the same time, those being handled included. With 1, the default where `concurrency`
   * is 1, the order of the queue is kept whatever fails; otherwise twice `concurrency`.
   */
  readonly prefetch?: number
  /** Life of a claim in seconds, 60 where it is not given; a claim is renewed for as long as its messages are handled. */
  readonly ttl?: number
  /** Seconds. */
  readonly grace?: number
  /**
   * How long a message is kept back after its handler has failed, before it can be claimed again, in seconds. 1 where
   * it is not given. It doubles with each failure that this consumer sees, up to a minute.
   */
  readonly retryDelay?: number
  /** Ends it as `stop({ release: true })` does. */
  readonly signal?: AbortSignal
  /** Told of what went wrong, with the message where it is about one; written to the console where it is not given. */
  readonly onError?: (error: unknown, message: Message | null) => void
}

export interface Handling {
  /** Aborted when the claim was lost, or the consumer is to give back what it has: somebody else may get the message. */
  readonly signal: AbortSignal
  readonly claimId: string
}

/** The message is done when what it answers has resolved. */
export type MessageHandler<Body> = (message: Message<Body>, handling: Handling) => unknown

type ConsumedQueue = Pick<
  Queue,
  'name' | 'exchange' | 'renewClaim' | 'releaseClaim' | 'deleteMessage' | 'deleteMessages'
>

/** Seconds that a take waits for messages: as long as the service lets it. */
const WAIT = 20
/** Between two takes of nothing, in milliseconds. */
const POLL_MS = 1_000
/** What a handler still has to finish when it is to give back its message, in milliseconds. */
const MOMENT_MS = 1_000
/** For each try of the last take, in seconds. */
const LAST_TIMEOUT = 5

/** Claims messages of a queue, hands them over, and deletes those that are done. */
export class Consumer<Body = unknown> {
  readonly #queue: ConsumedQueue
  readonly #handler: MessageHandler<Body>
  readonly #onError: NonNullable<ConsumeOptions['onError']>
  readonly #terms: { readonly ttl: number; readonly grace: number | undefined }
  readonly #concurrency: number
  readonly #prefetch: number
  readonly #claims: HeldClaims
  readonly #finished: FinishedMessages
  readonly #delays: RetryDelays
  /** Claimed, and not begun. */
  #waiting: HeldMessage[] = []
  /** Those whose handlers run, and have something to say of them. */
  readonly #handled = new Set<HeldMessage>()
  /** Handlers that run. */
  #running = 0
  readonly #takes = new Set<Promise<void>>()
  /** What takes under way have finished, or may bring: whichever is more. */
  #underWay = 0
  /** The latest take has brought as much as it could: others need not wait for each other. */
  #isPlenty = false
  /** Whether the service knows of finishing and taking. */
  #exchanges = true
  readonly #stopping = new AbortController()
  /** Whether it waits for handlers that go on, after `stop`. */
  #isPatient = true
  #moment: ReturnType<typeof setTimeout> | undefined
  #fatal: { readonly error: unknown } | null = null
  #wake = () => {}
  readonly #ended: Promise<void>

  constructor(queue: ConsumedQueue, handler: MessageHandler<Body>, options: ConsumeOptions) {
    const { concurrency = 1, prefetch = concurrency === 1 ? 1 : 2 * concurrency } = options
    const { ttl = 60, grace, retryDelay = 1, signal } = options
    this.#queue = queue
    this.#handler = handler
    this.#onError = options.onError ?? ((error, message) => this.#log(error, message))
    this.#terms = { ttl, grace }
    this.#concurrency = positiveInteger('concurrency', concurrency)
    this.#prefetch = positiveInteger('prefetch', prefetch)
    this.#delays = new RetryDelays(retryDelay)
    const onError = (error: unknown) => this.#failed(error)
    this.#claims = new HeldClaims({
      queue,
      terms: this.#terms,
      onError,
      onLost: (claim) => this.#lost(claim),
      onReleased: () => this.#wake(),
    })
    this.#finished = new FinishedMessages({
      queue,
      onError,
      onDeleted: (messages) => this.#deleted(messages),
      onLost: ({ message, claim }, cause) => {
        this.#claims.settle(claim)
        this.#report(claimLost(cause), message)
        this.#wake()
      },
      onGivenUp: ({ claim }) => this.#claims.giveBack(claim, 0),
    })
    const leave = () => this.#stop({ release: true })
    if (signal?.aborted) leave()
    signal?.addEventListener('abort', leave, { once: true })
    this.#ended = this.#run().finally(() => signal?.removeEventListener('abort', leave))
    // Nobody need look at it: what it rejects with was reported.
    this.#ended.catch(() => {})
  }

  /**
   * Resolves when it has ended, after `stop`; rejects with the error that ended it, when going on has no sense
   * (what is asked is wrong or not allowed).
   */
  get ended(): Promise<void> {
    return this.#ended
  }

  /**
   * Takes nothing more, waits for the handlers, deletes what is done, gives back the rest. With `release` it aborts their
   * signals, and gives back what they have not finished a moment later. Resolves when it has ended.
   */
  async stop({ release = false }: { readonly release?: boolean } = {}): Promise<void> {
    this.#stop({ release })
    await this.#ended.catch(() => {})
  }

  #stop({ release }: { release: boolean }): void {
    this.#stopping.abort()
    this.#claims.hurry()
    if (release && this.#isPatient) {
      this.#claims.leave(new Error('The consumer gives back its messages.'))
      this.#moment ??= setTimeout(() => {
        this.#isPatient = false
        this.#wake()
      }, MOMENT_MS)
    }
    this.#wake()
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (!this.#exchanges) await this.#finished.flush()
      const limit = this.#limit()
      if (limit > 0) this.#start(limit)
      else await this.#change()
    }
    await Promise.all(this.#takes)
    for (const { claim } of this.#waiting.splice(0)) this.#claims.giveBack(claim, 0)
    while (this.#running > 0 && this.#isPatient) await this.#change()
    this.#isPatient = false
    clearTimeout(this.#moment)
    for (const { claim } of this.#handled) this.#claims.giveBack(claim, 0)
    this.#handled.clear()
    await this.#finished.end()
    await this.#claims.end()
    if (this.#fatal !== null) throw this.#fatal.error
  }

  /** How many messages to take now. Few at a time only where a handler would have nothing to do, and no take is under way. */
  #limit(): number {
    const isFirst = this.#takes.size === 0
    if (!isFirst && !(this.#isPlenty && this.#exchanges)) return 0
    const { gathered, deleting } = this.#finished
    const goes = this.#exchanges ? Math.min(gathered, PAGE) : 0
    const held =
      this.#waiting.length + this.#running + gathered - goes + deleting + this.#claims.returned + this.#underWay
    const free = Math.min(PAGE, this.#prefetch - held)
    const isIdle = isFirst && this.#waiting.length === 0 && this.#running < this.#concurrency
    return isIdle || free >= Math.min(PAGE, this.#prefetch / 2) ? Math.max(0, free) : 0
  }

  /** Until something may be different. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #start(limit: number): void {
    const finished = this.#exchanges ? this.#finished.take() : []
    // What goes along is to be known as deleted at once, and one that waits is enough.
    const wait = finished.length > 0 || this.#takes.size > 0 ? 0 : WAIT
    const held = Math.max(limit, finished.length)
    this.#underWay += held
    const take = this.#take(limit, finished, wait).finally(() => {
      this.#takes.delete(take)
      this.#underWay -= held
      this.#wake()
    })
    this.#takes.add(take)
  }

  /** The same request until it is answered, so that nothing is claimed that nobody knows of. */
  async #take(limit: number, finished: readonly HeldMessage[], wait: number): Promise<void> {
    const request = { ...this.#terms, limit, idempotencyKey: randomUuid() }
    const since = Date.now()
    const { signal } = this.#stopping
    for (let tries = 0; ; tries++) {
      const isLast = signal.aborted
      const start = Date.now()
      try {
        const taken = await this.#queue.exchange(
          finishedOf(finished),
          isLast ? { ...request, wait: 0, timeout: LAST_TIMEOUT } : { ...request, wait, signal },
        )
        this.#taken(taken, finished)
        this.#isPlenty = taken.claim?.messages.length === limit
        if (taken.claim !== null) return await this.#claimed(taken.claim, since)
        // Where the service does not wait, as upstream's.
        if (wait > 0 && Date.now() - start < POLL_MS) await pause(POLL_MS, signal).catch(() => {})
        return
      } catch (error) {
        this.#isPlenty = false
        if (isNotHeld(error)) return await this.#finished.deleteEach(finished)
        // A waiting one is cut off, and asked for once more, in case that it has brought something just then.
        if (!isLast && signal.aborted) continue
        this.#failed(error)
        if (isLast || isFinal(error)) return this.#finished.add(...finished)
        await pause(backoff(tries, { first: POLL_MS }), signal).catch(() => {})
      }
    }
  }

  #taken({ isKnown }: Exchanged, finished: readonly HeldMessage[]): void {
    this.#exchanges = isKnown
    if (isKnown) this.#deleted(finished)
    else this.#finished.add(...finished)
  }

  async #claimed(taken: NonNullable<Exchanged['claim']>, since: number): Promise<void> {
    const claim = await this.#claims.add(taken, since)
    if (claim.isOver) return
    this.#waiting.push(...taken.messages.map((message) => ({ message, claim })))
    this.#begin()
  }

  #begin(): void {
    while (this.#running < this.#concurrency && !this.#stopping.signal.aborted) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      void this.#handle(next)
    }
  }

  async #handle(held: HeldMessage): Promise<void> {
    const { message, claim } = held
    this.#running += 1
    this.#handled.add(held)
    try {
      await this.#handler(message as Message<Body>, { signal: claim.signal, claimId: claim.id })
      if (this.#handled.delete(held)) this.#finished.add(held)
    } catch (error) {
      if (this.#handled.delete(held)) {
        this.#report(error, message)
        this.#claims.giveBack(claim, this.#delays.next(message.id))
      }
    }
    this.#running -= 1
    this.#begin()
    this.#wake()
  }

  #deleted(messages: readonly HeldMessage[]): void {
    for (const { message, claim } of messages) {
      this.#claims.settle(claim)
      this.#delays.forget(message.id)
    }
    this.#wake()
  }

  /** What handlers still say of its messages counts as nothing. */
  #lost(claim: HeldClaim): void {
    this.#waiting = this.#waiting.filter((held) => held.claim !== claim)
    const begun = [...this.#handled].filter((held) => held.claim === claim)
    for (const held of begun) this.#handled.delete(held)
    for (const { message } of [...begun, ...this.#finished.drop(claim)]) this.#report(claimLost(), message)
    this.#wake()
  }

  #failed(error: unknown): void {
    this.#report(error, null)
    if (!isFinal(error)) return
    this.#fatal ??= { error }
    this.#stop({ release: false })
  }

  #report(error: unknown, message: Message | null): void {
    try {
      this.#onError(error, message)
    } catch (thrown) {
      this.#log(thrown, message)
    }
  }

  #log(error: unknown, message: Message | null): void {
    const about = message === null ? '' : `, message ${message.id}`
    console.error(`zaqar-client: queue ${this.#queue.name}${about}: ${error}`)
  }
}

function claimLost(cause?: unknown): ClaimLost {
  return new ClaimLost('claim_lost', 'The claim has ended: somebody else may get the message.', { cause })
}

function isFinal(error: unknown): boolean {
  return error instanceof ZaqarError && error.isFinal
}

function positiveInteger(option: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw new RangeError(`\`${option}\` is a whole number from 1 on, not ${value}.`)
}
