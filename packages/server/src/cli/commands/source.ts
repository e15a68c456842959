import type { Topic, Zaqar } from 'zaqar-client/http'
import type { ZaqarCommand } from '../command.ts'

/** What messages are in, and subscriptions are to. */
export interface SourceFlags {
  readonly topic?: true
}

/** A queue by its name; with `--topic`, a topic. */
export function addSource(command: ZaqarCommand): ZaqarCommand {
  return command.argument('<QUEUE>', 'Name of the queue.').option('--topic', 'It is a topic.')
}

export function sourceOf(zaqar: Zaqar, { topic }: SourceFlags, name: string): Topic {
  return topic ? zaqar.topic(name) : zaqar.queue(name)
}
