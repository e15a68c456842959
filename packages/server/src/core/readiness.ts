import type { Instant } from '../model/model.ts'
import type { Clock, StartTimeLimit } from '../platform/clock.ts'
import { type Storage, StorageFull } from '../storage/contract.ts'

/** `draining`: it is about to end. `storage`: the storage does not answer. */
export type Ready = 'ready' | 'draining' | 'storage'

/** For the storage to answer, in milliseconds. */
const PATIENCE_MS = 2_000
/** An answer is good for so long, in milliseconds: anybody may ask, as often as he likes. */
const REMEMBERED_MS = 1_000

export interface ReadinessParts {
  readonly storage: Pick<Storage, 'ping'>
  readonly clock: Pick<Clock, 'now'>
  readonly startTimeLimit: StartTimeLimit
}

/** Whether the service should be given requests. */
export class Readiness {
  readonly #parts: ReadinessParts
  #isDraining = false
  #asked: { readonly at: Instant; readonly answers: Promise<boolean> } | null = null

  constructor(parts: ReadinessParts) {
    this.#parts = parts
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  /** The service is about to end: whoever distributes requests should give it no more. */
  drain(): void {
    this.#isDraining = true
  }

  async check(): Promise<Ready> {
    if (this.#isDraining) return 'draining'
    const now = this.#parts.clock.now()
    if (this.#asked === null || now >= this.#asked.at + REMEMBERED_MS) {
      this.#asked = { at: now, answers: this.#storageAnswers() }
    }
    return (await this.#asked.answers) ? 'ready' : 'storage'
  }

  async #storageAnswers(): Promise<boolean> {
    const { storage, startTimeLimit } = this.#parts
    const { promise: tooLate, resolve } = Promise.withResolvers<false>()
    const limit = startTimeLimit(PATIENCE_MS, () => resolve(false))
    const answer = storage.ping().then(
      () => true,
      // Of a full store consumers make room, whom nobody should keep away from it.
      (error) => error instanceof StorageFull,
    )
    const answers = await Promise.race([answer, tooLate])
    limit.cancel()
    return answers
  }
}
