export type Severity = 'ok' | 'warning' | 'error'

/** What is said of one thing that was looked at. */
export interface Finding {
  /** The group of checks that it is of. */
  readonly about: string
  readonly severity: Severity
  /** How it is: a sentence without its full stop. */
  readonly found: string
  /** What to do; null where all is well. */
  readonly remedy: string | null
}

/** Gathers what the checks of a group find, in their order. */
export class Findings {
  readonly #about: string
  readonly #all: Finding[] = []

  constructor(about: string) {
    this.#about = about
  }

  get all(): readonly Finding[] {
    return this.#all
  }

  ok(found: string): void {
    this.#all.push({ about: this.#about, severity: 'ok', found, remedy: null })
  }

  /** It works, and may fail later, lose something or let somebody in. */
  warning(found: string, remedy: string): void {
    this.#all.push({ about: this.#about, severity: 'warning', found, remedy })
  }

  /** The service does not work with it, or loses what it has answered for. */
  error(found: string, remedy: string): void {
    this.#all.push({ about: this.#about, severity: 'error', found, remedy })
  }
}
