import { requestBytes, type Target } from './target.ts'

/**
 * One request of a cycle. Its bytes are ready, or follow from the body of the answer before it: that of the last cycle
 * on the same connection, empty at first, where it begins one.
 */
export interface Step {
  readonly status: number
  readonly request: Buffer | ((previousAnswer: Buffer) => Buffer)
}

export interface Workload {
  readonly name: WorkloadName
  readonly title: string
  readonly requests: number
  /** Messages that a cycle stores, reads or consumes. */
  readonly messages: number
  /** Messages that must be in the queue before the run. */
  readonly needs: number
  /** Messages that each cycle takes out of the free ones, so that the queue must hold enough for the whole run. */
  readonly takes: number
  steps(target: Target, queue: string): Step[]
}

export type WorkloadName =
  | 'post'
  | 'post-10'
  | 'list-10'
  | 'claim'
  | 'claim-1-delete-1'
  | 'finish-and-take'
  | 'claim-10-delete-10'
  | 'turnover'

/** Some 150 bytes as JSON: the size of a job description, a status change, an address of something larger. */
export const messageBody = {
  task: 'resize-image',
  source: 'https://media.example.org/uploads/2026/11/4f1c9a7e.jpg',
  width: 1280,
  height: 720,
  attempt: 1,
  trace: '7b0c4f9e2d6a4c1b8e5f0a3d',
}

export const claimTerms = { ttl: 3600, grace: 60 }

/** The document that posts so many messages. */
export function postOf(count: number, fields: { readonly delay?: number } = {}) {
  return { messages: Array.from({ length: count }, () => ({ ttl: 3600, ...fields, body: messageBody })) }
}

export const workloads: readonly Workload[] = [
  {
    name: 'post',
    title: 'POST 1',
    requests: 1,
    messages: 1,
    needs: 0,
    takes: 0,
    steps: (target, queue) => [
      { status: 201, request: requestBytes(target, 'POST', `/v2/queues/${queue}/messages`, postOf(1)) },
    ],
  },
  {
    name: 'post-10',
    title: 'POST 10',
    requests: 1,
    messages: 10,
    needs: 0,
    takes: 0,
    steps: (target, queue) => [
      { status: 201, request: requestBytes(target, 'POST', `/v2/queues/${queue}/messages`, postOf(10)) },
    ],
  },
  {
    name: 'list-10',
    title: 'list 10',
    requests: 1,
    messages: 10,
    needs: 1000,
    takes: 0,
    steps: (target, queue) => [
      { status: 200, request: requestBytes(target, 'GET', `/v2/queues/${queue}/messages?limit=10&echo=true`) },
    ],
  },
  {
    name: 'claim',
    title: 'claim 1',
    requests: 1,
    messages: 1,
    needs: 0,
    takes: 1,
    steps: (target, queue) => [
      { status: 201, request: requestBytes(target, 'POST', `/v2/queues/${queue}/claims?limit=1`, claimTerms) },
    ],
  },
  {
    name: 'claim-1-delete-1',
    title: 'claim 1 + delete 1',
    requests: 2,
    messages: 1,
    needs: 0,
    takes: 1,
    steps: (target, queue) => claimAndDelete(target, queue, 1),
  },
  {
    name: 'finish-and-take',
    title: 'finish and take 1',
    requests: 1,
    messages: 1,
    needs: 0,
    takes: 1,
    steps: (target, queue) => [
      {
        status: 201,
        request: (last) =>
          requestBytes(target, 'POST', `/v2/queues/${queue}/claims?limit=1`, {
            ...claimTerms,
            delete: finishedIn(last),
          }),
      },
    ],
  },
  {
    name: 'claim-10-delete-10',
    title: 'claim 10 + delete 10',
    requests: 2,
    messages: 10,
    needs: 0,
    takes: 10,
    steps: (target, queue) => claimAndDelete(target, queue, 10),
  },
]

/** It puts back what it takes, so it can go on for ever. */
export const turnover: Workload = {
  name: 'turnover',
  title: 'POST 10 + claim 10 + delete 10',
  requests: 3,
  messages: 10,
  needs: 20_000,
  takes: 0,
  steps: (target, queue) => [
    { status: 201, request: requestBytes(target, 'POST', `/v2/queues/${queue}/messages`, postOf(10)) },
    ...claimAndDelete(target, queue, 10),
  ],
}

function claimAndDelete(target: Target, queue: string, count: number): Step[] {
  return [
    { status: 201, request: requestBytes(target, 'POST', `/v2/queues/${queue}/claims?limit=${count}`, claimTerms) },
    {
      status: 204,
      request: (claim) =>
        requestBytes(target, 'DELETE', `/v2/queues/${queue}/messages?ids=${messageIdsOf(claim).join(',')}`),
    },
  ]
}

export function workloadNamed(name: WorkloadName): Workload {
  const workload = [...workloads, turnover].find((candidate) => candidate.name === name)
  if (workload === undefined) throw new Error(`no workload is called ${name}`)
  return workload
}

function messageIdsOf(answer: Buffer): string[] {
  const { messages } = JSON.parse(answer.toString()) as { messages: { id: string }[] }
  return messages.map(({ id }) => id)
}

/** What a claim holds, as the next one says that it is finished. */
export function finishedIn(answer: Buffer): { id: string; claim_id: string }[] {
  if (answer.length === 0) return []
  const { messages } = JSON.parse(answer.toString()) as { messages: { id: string; href: string }[] }
  return messages.map(({ id, href }) => ({ id, claim_id: href.slice(href.indexOf('claim_id=') + 'claim_id='.length) }))
}
