/** What the supervisor asks of its workers, over the channel that Node gives them. */
import type { Worker } from 'node:cluster'
import type { Family } from '../metrics/family.ts'

/** What is answered to each question. */
export interface Answers {
  /** Read the configuration again: whether it could be used. */
  readonly reload: boolean
  /** Say something when the storage has answered. */
  readonly answer: boolean
  /** What is measured in the process of the worker. */
  readonly measure: readonly Family[]
}

export type Question = keyof Answers

interface Asked {
  readonly question: Question
  readonly number: number
}

interface Answered {
  readonly answered: number
  readonly answer: Answers[Question]
}

let asked = 0

/** Null when the worker ends before it answers. */
export function askWorker<Q extends Question>(worker: Worker, question: Q): Promise<Answers[Q] | null> {
  const number = ++asked
  return new Promise((resolve) => {
    const settle = (answer: Answers[Q] | null) => {
      worker.off('message', hear)
      worker.off('exit', leave)
      resolve(answer)
    }
    const hear = (message: object) => {
      if ('answered' in message && message.answered === number) settle((message as Answered).answer as Answers[Q])
    }
    const leave = () => settle(null)
    worker.on('message', hear).on('exit', leave)
    if (!worker.isConnected()) return leave()
    worker.send({ question, number } satisfies Asked, (error) => error !== null && leave())
  })
}

/** In a worker; none of the answers fails. */
export function answerQuestions(answers: { readonly [Q in Question]: () => Promise<Answers[Q]> }): void {
  process.on('message', (message: object) => {
    if (!('question' in message)) return
    const { question, number } = message as Asked
    void answers[question]().then((answer) => process.send?.({ answered: number, answer } satisfies Answered))
  })
}
