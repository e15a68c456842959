import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { RanOut, RunFigures, RunTask, Task, TaskResult } from './load.ts'
import type { Target } from './target.ts'

/** The parent's side of the load generator (load.ts). One task at a time. */
export class Generator {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('load.ts', import.meta.url)))

  async run(task: Omit<RunTask, 'kind'>): Promise<RunFigures | RanOut> {
    return (await this.#perform({ kind: 'run', ...task })) as RunFigures | RanOut
  }

  /** As `run`, for a load that a queue cannot run out of. */
  async runToEnd(task: Omit<RunTask, 'kind'>): Promise<RunFigures> {
    const result = await this.run(task)
    if ('ranOutAtCyclesPerSecond' in result) throw new Error(`the queue ran out of messages during ${task.workload}`)
    return result
  }

  /** Posts so many messages, in large batches. */
  async fill(target: Target, queue: string, messages: number): Promise<void> {
    if (messages > 0) await this.#perform({ kind: 'fill', target, queue, messages })
  }

  stop(): void {
    this.#child.disconnect()
  }

  async #perform(task: Task): Promise<TaskResult> {
    const ended = new AbortController()
    const answer = once(this.#child, 'message', { signal: ended.signal })
    const exit = once(this.#child, 'exit', { signal: ended.signal }).then(([code]) => {
      throw new Error(`the load generator ended with code ${code}`)
    })
    this.#child.send(task)
    try {
      const [result] = (await Promise.race([answer, exit])) as [TaskResult]
      if ('error' in result) throw new Error(result.error)
      return result
    } finally {
      // The loser of the race is let go; its rejection tells nothing.
      answer.catch(() => {})
      exit.catch(() => {})
      ended.abort()
    }
  }
}
