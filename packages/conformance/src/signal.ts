import { setImmediate as turn } from 'node:timers/promises'

/** How long a signal may take. Only a failing test waits as long. */
const patienceMilliseconds = 2000

/** Runs something while signals are counted. `watch` as of `Signals`. */
export async function withSignals(
  watch: (listener: () => void) => () => void,
  run: (signals: Signals) => Promise<void>,
): Promise<void> {
  const signals = new Signals(watch)
  try {
    await run(signals)
  } finally {
    signals.end()
  }
}

/** Counts the signals of one watch and waits for more. */
export class Signals {
  readonly #end: () => void
  readonly #waiting = new Set<() => void>()
  #heard = 0

  /** `watch` begins to call a listener and answers how to end that. */
  constructor(watch: (listener: () => void) => () => void) {
    this.#end = watch(() => {
      this.#heard += 1
      for (const wake of this.#waiting) wake()
    })
  }

  get heard(): number {
    return this.#heard
  }

  /**
   * Does something and waits for a signal after it. Signals are hints and may lag, so those of what was done before are
   * given a few turns to come in first.
   */
  async after(act: () => unknown): Promise<void> {
    for (let turns = 0; turns < 5; turns += 1) await turn()
    const before = this.#heard
    await act()
    await this.moreThan(before)
  }

  /** Resolves when more signals than that have come. */
  moreThan(count: number): Promise<void> {
    if (this.#heard > count) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => {
        clearTimeout(timeout)
        this.#waiting.delete(wake)
        done()
      }
      const timeout = setTimeout(() => settle(() => reject(new Error('no signal came'))), patienceMilliseconds)
      const wake = () => settle(resolve)
      this.#waiting.add(wake)
    })
  }

  end(): void {
    this.#end()
  }
}
