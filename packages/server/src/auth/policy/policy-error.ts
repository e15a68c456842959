/** The rules cannot be used. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  /** Each a sentence with file and line. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}
