import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process of this folder that performs one task at a time, and answers the result or an error. */
export class TaskProcess<Task extends object, Result extends object> {
  readonly #child: ChildProcess

  constructor(file: string) {
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)))
  }

  async perform(task: Task): Promise<Result> {
    const ended = new AbortController()
    const answer = once(this.#child, 'message', { signal: ended.signal })
    const exit = once(this.#child, 'exit', { signal: ended.signal }).then(([code]) => {
      throw new Error(`the load generator ended with code ${code}`)
    })
    this.#child.send(task)
    try {
      const [result] = (await Promise.race([answer, exit])) as [Result | { error: string }]
      if ('error' in result) throw new Error(result.error)
      return result
    } finally {
      // The loser of the race is let go; its rejection tells nothing.
      answer.catch(() => {})
      exit.catch(() => {})
      ended.abort()
    }
  }

  stop(): void {
    this.#child.disconnect()
  }
}
