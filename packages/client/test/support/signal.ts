/** Tells those who wait that something has changed. */
export class Signal {
  #changed = Promise.withResolvers<void>()

  tell(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.#changed.promise
  }
}
