import type { Instant } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import { KeystoneUnavailable } from './keystone-connection.ts'

/** One trouble of a kind is told in this time: while Keystone is away, every request with a new token meets it. */
const SILENCE_MS = 10_000

/** Chooses the troubles that the operator is told of. */
export class RareTroubles {
  readonly #clock: Clock
  /** By the class of the error. */
  readonly #kinds = new Map<string, { silentUntil: Instant; untold: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What to tell of the error: itself, also how many there were since the last one that was told; null for nothing. */
  next(error: KeystoneUnavailable): KeystoneUnavailable | null {
    const now = this.#clock.now()
    const kind = this.#kinds.get(error.name)
    if (kind !== undefined && now < kind.silentUntil) {
      kind.untold++
      return null
    }
    this.#kinds.set(error.name, { silentUntil: now + SILENCE_MS, untold: 0 })
    if (kind === undefined || kind.untold === 0) return error
    const message = `${error.message} (and so it was for ${kind.untold} requests since this was last said)`
    return new KeystoneUnavailable(message, { cause: error.cause })
  }
}
