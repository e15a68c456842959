import { inspect } from 'node:util'

/**
 * Calls them all, as `Storage.watch` promises. One that throws has a fault that is none of the engine's: the process is
 * warned of it, and nobody else notices.
 */
export function tellListeners(listeners: Iterable<() => void>): void {
  // A listener may end its watch, or begin another.
  for (const listener of [...listeners]) {
    try {
      listener()
    } catch (error) {
      process.emitWarning('A listener of a queue threw', { type: 'ListenerWarning', detail: inspect(error) })
    }
  }
}
