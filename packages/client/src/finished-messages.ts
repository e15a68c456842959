import type { Message } from './documents.ts'
import { ZaqarError } from './errors.ts'
import type { HeldClaim } from './held-claims.ts'
import type { Finished, Queue } from './queue.ts'

/** A message, and the claim that holds it. */
export interface HeldMessage {
  readonly message: Message
  readonly claim: HeldClaim
}

/** One request names no more messages, nor takes more: the page of the service. */
export const PAGE = 20
/** How long what is finished waits for a take that brings it along. */
const GATHER_MS = 20
/** After a failure that may pass, in milliseconds. */
const RETRY_MS = 1_000
/** For each try, in seconds. */
const TIMEOUT = 10

interface Parts {
  readonly queue: Pick<Queue, 'deleteMessage' | 'deleteMessages'>
  /** They are not there any more. */
  readonly onDeleted: (messages: readonly HeldMessage[]) => void
  /** Its claim does not hold it any more. */
  readonly onLost: (message: HeldMessage, cause: unknown) => void
  /** It could not be deleted, and is not tried again. */
  readonly onGivenUp: (message: HeldMessage) => void
  readonly onError: (error: unknown) => void
}

/** Messages that are handled, until they are deleted: by the next take, or else by a request of their own. */
export class FinishedMessages {
  readonly #parts: Parts
  #gathered: HeldMessage[] = []
  #deleting = 0
  readonly #requests = new Set<Promise<void>>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #isEnding = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Messages that a take can bring along. */
  get gathered(): number {
    return this.#gathered.length
  }

  /** Messages that are being deleted. */
  get deleting(): number {
    return this.#deleting
  }

  add(...messages: readonly HeldMessage[]): void {
    this.#gathered.push(...messages)
    this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS)
  }

  /** The oldest, for a take to bring along. */
  take(): HeldMessage[] {
    const taken = this.#gathered.splice(0, PAGE)
    if (this.#gathered.length === 0) this.#stopWaiting()
    return taken
  }

  /** Takes out what was held by a claim that is lost. */
  drop(claim: HeldClaim): HeldMessage[] {
    const dropped = this.#gathered.filter((message) => message.claim === claim)
    if (dropped.length > 0) this.#gathered = this.#gathered.filter((message) => message.claim !== claim)
    return dropped
  }

  /** Deletes what is gathered. What fails is tried again later. */
  async flush(): Promise<void> {
    this.#stopWaiting()
    while (this.#gathered.length > 0) this.#start(this.#gathered.splice(0, PAGE))
    await Promise.all(this.#requests)
  }

  /** Deletes one by one, since a claim does not hold its message any more. */
  async deleteEach(messages: readonly HeldMessage[]): Promise<void> {
    const { queue, onDeleted, onLost } = this.#parts
    for (const held of messages) {
      try {
        await queue.deleteMessage(held.message.id, held.claim.id, { timeout: TIMEOUT })
        onDeleted([held])
      } catch (error) {
        if (isNotHeld(error)) onLost(held, error)
        else this.#failed([held], error)
      }
    }
  }

  /** Deletes all; what fails now is given up. */
  async end(): Promise<void> {
    this.#isEnding = true
    await this.flush()
  }

  #start(messages: readonly HeldMessage[]): void {
    this.#deleting += messages.length
    const request = this.#delete(messages).finally(() => {
      this.#deleting -= messages.length
      this.#requests.delete(request)
    })
    this.#requests.add(request)
  }

  async #delete(messages: readonly HeldMessage[]): Promise<void> {
    // One alone names its claim, which the service looks at.
    if (messages.length === 1) return await this.deleteEach(messages)
    const { queue, onDeleted } = this.#parts
    const ids = messages.map(({ message }) => message.id)
    const claimIds = new Set(messages.map(({ claim }) => claim.id))
    try {
      await queue.deleteMessages(ids, [...claimIds], { timeout: TIMEOUT })
      onDeleted(messages)
    } catch (error) {
      if (isNotHeld(error)) await this.deleteEach(messages)
      else this.#failed(messages, error)
    }
  }

  #failed(messages: readonly HeldMessage[], error: unknown): void {
    const { onError, onLost, onGivenUp } = this.#parts
    onError(error)
    for (const held of messages) {
      if (held.claim.isOver) onLost(held, error)
      else if (this.#isEnding) onGivenUp(held)
      else this.#gathered.push(held)
    }
    if (this.#gathered.length > 0) this.#timer ??= setTimeout(() => void this.flush(), RETRY_MS)
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

/** As a take names them. */
export function finishedOf(messages: readonly HeldMessage[]): Finished[] {
  return messages.map(({ message, claim }) => ({ id: message.id, claimId: claim.id }))
}

/** Whether the service says that a message is held by nobody, or by another claim than was said. */
export function isNotHeld(error: unknown): boolean {
  return error instanceof ZaqarError && error.title === 'Unable to delete'
}
