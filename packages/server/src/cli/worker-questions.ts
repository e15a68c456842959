/** What the supervisor asks of its workers, over the channel that Node gives them. */
import type { Worker } from 'node:cluster'

/** `reload`: read the configuration again. `answer`: say something when the storage has answered. */
export type Question = 'reload' | 'answer'

interface Asked {
  readonly question: Question
  readonly number: number
}

interface Answered {
  readonly answered: number
  readonly isDone: boolean
}

let asked = 0

/** Whether it was done; false when the worker ends before it says so. */
export function askWorker(worker: Worker, question: Question): Promise<boolean> {
  const number = ++asked
  return new Promise((resolve) => {
    const settle = (isDone: boolean) => {
      worker.off('message', hear)
      worker.off('exit', leave)
      resolve(isDone)
    }
    const hear = (message: object) => {
      if ('answered' in message && message.answered === number) settle((message as Answered).isDone)
    }
    const leave = () => settle(false)
    worker.on('message', hear).on('exit', leave)
    if (!worker.isConnected()) return leave()
    worker.send({ question, number } satisfies Asked, (error) => error !== null && leave())
  })
}

/** In a worker: each answer says whether it was done, and none fails. */
export function answerQuestions(answers: Readonly<Record<Question, () => Promise<boolean>>>): void {
  process.on('message', (message: object) => {
    if (!('question' in message)) return
    const { question, number } = message as Asked
    void answers[question]().then((isDone) => process.send?.({ answered: number, isDone } satisfies Answered))
  })
}
