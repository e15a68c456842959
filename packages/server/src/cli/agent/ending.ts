import { constants } from 'node:os'
import type { Instant } from '../../model/model.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from './log.ts'
import { AgentEnds } from './taking.ts'

export interface EndingTerms {
  /** When the signed values end. */
  readonly expiresAt: Instant
  /** How long commands may go on after the first signal. */
  readonly closingSeconds: number
  readonly clock: Clock
  readonly log: Log
}

/** So long before their end signed values are used no more: what is held can still be given back. In milliseconds. */
const MARGIN_MS = 10_000
const WARNING_MS = 3_600_000

/**
 * When the agent ends. The first SIGTERM or SIGINT lets it take nothing more, and breaks off what runs when its time is
 * over; the second kills all. So does, without that time, the end of the signed values.
 */
export class Ending {
  readonly #stopping = new AbortController()
  readonly #aborting = new AbortController()
  readonly #killing = new AbortController()
  readonly #terms: EndingTerms
  #hasExpired = false

  constructor(terms: EndingTerms) {
    this.#terms = terms
    const { expiresAt, clock, log } = terms
    process.on('SIGTERM', this.#onSignal).on('SIGINT', this.#onSignal)
    clock.at(expiresAt - WARNING_MS, () => {
      const minutes = Math.round((expiresAt - clock.now()) / 60_000)
      log(`the signed values end in ${minutes} minutes: put new ones into the file and start the agent again`)
    })
    clock.at(expiresAt - MARGIN_MS, () => {
      this.#hasExpired = true
      this.#abort()
    })
  }

  /** Aborted when nothing more is to be taken. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** Aborted when what runs is to end, too. */
  get aborting(): AbortSignal {
    return this.#aborting.signal
  }

  /** Aborted when the process ends at once. */
  get killing(): AbortSignal {
    return this.#killing.signal
  }

  /** Whether the end of the signed values is why. */
  get hasExpired(): boolean {
    return this.#hasExpired
  }

  readonly #onSignal = (signal: 'SIGTERM' | 'SIGINT') => {
    const { closingSeconds, clock, log } = this.#terms
    if (this.#stopping.signal.aborted) {
      log(`${signal}: all commands are killed`)
      this.#killing.abort()
      process.exit(128 + constants.signals[signal])
    }
    log(`${signal}: nothing more is taken; what runs has ${closingSeconds} seconds`)
    this.#stopping.abort(new AgentEnds())
    clock.at(clock.now() + closingSeconds * 1000, () => this.#abort())
  }

  #abort(): void {
    this.#stopping.abort(new AgentEnds())
    this.#aborting.abort(new AgentEnds())
  }
}
