import type { RanOut, RunFigures, RunTask, Task, TaskResult } from './load.ts'
import type { Target } from './target.ts'
import { TaskProcess } from './task-process.ts'

/** The parent's side of the load generator (load.ts). One task at a time. */
export class Generator {
  readonly #process = new TaskProcess<Task, TaskResult>('load.ts')

  async run(task: Omit<RunTask, 'kind'>): Promise<RunFigures | RanOut> {
    return (await this.#process.perform({ kind: 'run', ...task })) as RunFigures | RanOut
  }

  /** As `run`, for a load that a queue cannot run out of. */
  async runToEnd(task: Omit<RunTask, 'kind'>): Promise<RunFigures> {
    const result = await this.run(task)
    if ('ranOutAtCyclesPerSecond' in result) throw new Error(`the queue ran out of messages during ${task.workload}`)
    return result
  }

  /** Posts so many messages, in large batches. */
  async fill(target: Target, queue: string, messages: number): Promise<void> {
    if (messages > 0) await this.#process.perform({ kind: 'fill', target, queue, messages })
  }

  stop(): void {
    this.#process.stop()
  }
}
