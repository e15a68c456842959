import { elapsed } from '../../platform/elapsed.ts'
import type { Output } from '../shell.ts'
import { cut } from './width.ts'

const BAR = 30
/** Between two drawings, in milliseconds. */
const PAUSE_MS = 100

/** Says on a terminal how far long work has come; silent elsewhere. */
export class Progress {
  readonly #out: Output
  readonly #what: string
  #drawnAt = Number.NEGATIVE_INFINITY

  constructor(out: Output, what: string) {
    this.#out = out
    this.#what = what
  }

  /** `share`: of the work, from 0 to 1; null where nobody knows how much there is. */
  at(done: number, share: number | null): void {
    if (!this.#out.isTTY || elapsed() - this.#drawnAt < PAUSE_MS) return
    this.#drawnAt = elapsed()
    const filled = Math.round((share ?? 0) * BAR)
    const bar = share === null ? '' : `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${Math.floor(share * 100)} %  `
    // What goes on in a second line could not be taken off again.
    const text = cut(`${bar}${done.toLocaleString('en')} ${this.#what}`, (this.#out.columns ?? 80) - 1)
    this.#out.write(`\r\u001b[K${text}`)
  }

  /** Takes it off the terminal. */
  end(): void {
    if (this.#drawnAt > 0) this.#out.write('\r\u001b[K')
  }
}
