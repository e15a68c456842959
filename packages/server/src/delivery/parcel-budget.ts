import { Tally } from './tally.ts'

/** How much more may be on its way for one project, and for all, than one body may be long. */
const [OF_PROJECT, OF_ALL] = [4, 16]

/** Keeps what is on its way to receivers from filling the memory: each body is there as text and as bytes. */
export class ParcelBudget {
  #longest: number
  readonly #projects = new Tally()
  #all = 0

  /** `longest`: bytes that one body may have. */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** From now on. */
  setLongest(longest: number): void {
    this.#longest = longest
  }

  admits(bytes: number): boolean {
    return bytes <= this.#longest
  }

  /** Answers the function that gives them back, or null when there is no room at present. */
  take(project: string, bytes: number): (() => void) | null {
    const hasRoom =
      this.#projects.of(project) + bytes <= OF_PROJECT * this.#longest && this.#all + bytes <= OF_ALL * this.#longest
    if (!hasRoom) return null
    this.#projects.add(project, bytes)
    this.#all += bytes
    return () => {
      this.#projects.add(project, -bytes)
      this.#all -= bytes
    }
  }
}
