import { Command } from 'commander'
import { UsageError } from './usage-error.ts'

/** A command of commander's that has examples, and complains as all of `zaqar` does. */
export class ZaqarCommand extends Command {
  /** Command lines that work, or would with other names. */
  readonly shown: string[] = []

  override createCommand(name?: string): ZaqarCommand {
    return new ZaqarCommand(name)
  }

  /** Help shows these below everything else. */
  examples(...lines: readonly string[]): this {
    this.shown.push(...lines)
    return this.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
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
