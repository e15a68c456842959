import { setImmediate as turn } from 'node:timers/promises'
import type { QueueKey, Storage } from 'zaqar/storage'

/** How long a signal may take. Only a failing test waits as long. */
const patienceMilliseconds = 10_000

/** Counts the signals of one watch and waits for the next. */
export class Signals {
  readonly #end: () => void
  #heard = 0
  #waiting: (() => void)[] = []

  constructor(storage: Storage, key: QueueKey) {
    this.#end = storage.watch(key, () => {
      this.#heard += 1
      for (const wake of this.#waiting.splice(0)) wake()
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
    const next = this.#next()
    await act()
    await next
  }

  end(): void {
    this.#end()
  }

  #next(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error('no signal came')), patienceMilliseconds)
      this.#waiting.push(() => {
        clearTimeout(timeout)
        resolve()
      })
    })
  }
}
