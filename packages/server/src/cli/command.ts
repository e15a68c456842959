import { Command } from 'commander'
import { UsageError } from './usage-error.ts'

/** A command of commander's that has examples, and complains as all of `zaqar` does. */
export class ZaqarCommand extends Command {
  /** Command lines that work, or would with other names. */
  readonly #examples: string[] = []

  override createCommand(name?: string): ZaqarCommand {
    return new ZaqarCommand(name)
  }

  /** Help shows these below everything else. */
  examples(...lines: readonly string[]): this {
    if (this.#examples.length === 0) this.addHelpText('after', () => this.#listExamples())
    this.#examples.push(...lines)
    return this
  }

  #listExamples(): string {
    return `\nExamples:\n${this.#examples.map((line) => `  ${line}`).join('\n')}`
  }

  /** @throws UsageError always */
  override error(message: string): never {
    const sentence = message
      .replace(/^error: /, '')
      .replace(/\.$/, '')
      .replaceAll('\n', ' ')
    throw new UsageError(`${sentence}; see ${this.#fullName()} --help`)
  }

  #fullName(): string {
    const names = [this.name()]
    for (let { parent } = this as Command; parent !== null; parent = parent.parent) names.unshift(parent.name())
    return names.join(' ')
  }
}
