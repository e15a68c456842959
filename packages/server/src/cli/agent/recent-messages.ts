/** Messages that are remembered, at the most. */
const LIMIT = 1_000

/** What this agent has done about messages lately. */
export class RecentMessages {
  /** By id: how often the command was begun, and whether its outcome was posted. The oldest stands first. */
  readonly #messages = new Map<string, { attempts: number; isReported: boolean }>()

  /** Answers which try this is. */
  begin(id: string): number {
    const message = this.#messages.get(id) ?? { attempts: 0, isReported: false }
    message.attempts += 1
    this.#messages.delete(id)
    this.#messages.set(id, message)
    const [oldest] = this.#messages.keys()
    if (this.#messages.size > LIMIT) this.#messages.delete(oldest as string)
    return message.attempts
  }

  reported(id: string): void {
    const message = this.#messages.get(id)
    if (message !== undefined) message.isReported = true
  }

  wasReported(id: string): boolean {
    return this.#messages.get(id)?.isReported ?? false
  }
}
