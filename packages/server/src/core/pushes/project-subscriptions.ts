import { ZaqarError } from '../errors.ts'

/** How many subscriptions each project has. */
export class ProjectSubscriptions {
  readonly #max: number | null
  readonly #counts = new Map<string, number>()

  /** `max`: of each project; null: any number. */
  constructor(max: number | null) {
    this.#max = max
  }

  /** @throws ZaqarError when the project has as many as it may have */
  add(project: string): void {
    const count = this.#counts.get(project) ?? 0
    const max = this.#max
    if (max !== null && count >= max) throw new ZaqarError('subscription.too_many', { project, max })
    this.#counts.set(project, count + 1)
  }

  remove(project: string): void {
    const count = this.#counts.get(project) ?? 0
    if (count > 1) this.#counts.set(project, count - 1)
    else this.#counts.delete(project)
  }
}
