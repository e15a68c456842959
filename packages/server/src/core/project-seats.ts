/** How many places each project has taken of something, at most so many. */
export class ProjectSeats {
  most: number
  readonly #taken = new Map<string, number>()

  constructor(most: number) {
    this.most = most
  }

  /** False when none is left. */
  take(project: string): boolean {
    const taken = this.#taken.get(project) ?? 0
    if (taken >= this.most) return false
    this.#taken.set(project, taken + 1)
    return true
  }

  leave(project: string): void {
    const taken = this.#taken.get(project) ?? 0
    if (taken > 1) this.#taken.set(project, taken - 1)
    else this.#taken.delete(project)
  }
}
