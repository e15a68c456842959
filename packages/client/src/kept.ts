/** A value that is asked for when it is first needed, once for all who need it at the same time, and then kept. */
export class Kept<Value> {
  readonly #ask: (isRefused: boolean) => Promise<Value>
  #asked: Promise<Value> | null = null
  #value: Value | undefined
  #isRefused = false

  /** @param ask is told whether the value before was refused */
  constructor(ask: (isRefused: boolean) => Promise<Value>) {
    this.#ask = ask
  }

  get(): Promise<Value> {
    this.#asked ??= this.#keep()
    return this.#asked
  }

  /** A value that fits is not kept any longer. Of many who refuse the same value the first does it for all. */
  refuse(fits: (value: Value) => boolean): void {
    if (this.#value === undefined || !fits(this.#value)) return
    this.#asked = null
    this.#value = undefined
    this.#isRefused = true
  }

  async #keep(): Promise<Value> {
    try {
      this.#value = await this.#ask(this.#isRefused)
      this.#isRefused = false
      return this.#value
    } catch (error) {
      // The next who needs it asks again.
      this.#asked = null
      throw error
    }
  }
}
