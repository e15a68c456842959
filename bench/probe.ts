import { Connection } from './connection.ts'
import { requestBytes, type Target } from './target.ts'
import { claimTerms, postOf } from './workloads.ts'

/** One kind of request, sent by a probe to the queue that it looks at. */
export interface Operation {
  readonly title: string
  /** It leaves nothing in the queue. */
  readonly empties: boolean
  request(probe: Probe): { method: string; path: string; body?: unknown }
}

const post: Operation = {
  title: 'post',
  empties: false,
  // Visible at once also in a queue that delays.
  request: () => ({ method: 'POST', path: '/messages', body: postOf(1, { delay: 0 }) }),
}

/**
 * In the order in which a round sends them: the claim takes one message, the pop one, and the delete the posted one.
 */
export const operations: readonly Operation[] = [
  post,
  {
    title: 'list 10',
    empties: false,
    request: () => ({ method: 'GET', path: '/messages?limit=10&echo=true' }),
  },
  {
    title: 'claim 1',
    empties: false,
    request: () => ({ method: 'POST', path: '/claims?limit=1', body: claimTerms }),
  },
  {
    title: 'delete 1',
    empties: false,
    request: ({ expendableId }) => ({ method: 'DELETE', path: `/messages/${expendableId}` }),
  },
  {
    title: 'pop 1',
    empties: false,
    request: () => ({ method: 'DELETE', path: '/messages?pop=1' }),
  },
  {
    title: 'stats',
    empties: false,
    request: () => ({ method: 'GET', path: '/stats' }),
  },
  {
    title: 'purge',
    empties: true,
    request: () => ({ method: 'POST', path: '/purge', body: { resource_types: ['messages'] } }),
  },
  {
    title: 'delete queue',
    empties: true,
    request: () => ({ method: 'DELETE', path: '' }),
  },
]

/** Net of what it posts: by the claim and the pop. */
const TAKEN_IN_A_ROUND = 2

/** Sends single requests to one queue and times them. */
export class Probe {
  readonly #connection: Connection
  readonly #target: Target
  readonly #queue: string
  readonly #failure: Promise<never>
  /** A message that may be deleted: it is there and nobody claims it, since it is the newest. */
  expendableId: string

  private constructor(connection: Connection, target: Target, queue: string, failure: Promise<never>, lastId: string) {
    this.#connection = connection
    this.#target = target
    this.#queue = queue
    this.#failure = failure
    this.expendableId = lastId
  }

  /** `lastId`: the newest message of the queue, or nothing when the first operation is a post. */
  static async open(target: Target, queue: string, lastId = ''): Promise<Probe> {
    const failure = Promise.withResolvers<never>()
    failure.promise.catch(() => {}) // It may fail while nobody waits.
    const connection = await Connection.open(target.host, target.port, failure.reject)
    return new Probe(connection, target, queue, failure.promise, lastId)
  }

  /** Milliseconds from sending to the whole answer. */
  async time(operation: Operation): Promise<number> {
    const { method, path, body } = operation.request(this)
    const answer = await this.ask(method, `/queues/${this.#queue}${path}`, body)
    if (operation === post) this.expendableId = postedIdOf(answer.body)
    return answer.milliseconds
  }

  /** The same for any request. `path`: behind the version. */
  async ask(method: string, path: string, body?: unknown): Promise<{ milliseconds: number; body: Buffer }> {
    const request = requestBytes(this.#target, method, `/v2${path}`, body)
    const startedAt = performance.now()
    const answer = await Promise.race([this.#connection.ask(request), this.#failure])
    const milliseconds = performance.now() - startedAt
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
    return { milliseconds, body: answer.body }
  }

  /** Puts back as many messages as one round of all operations takes away. */
  async replenish(): Promise<void> {
    for (let i = 0; i < TAKEN_IN_A_ROUND; i++) await this.time(post)
  }

  close(): void {
    this.#connection.close()
  }
}

function postedIdOf(answer: Buffer): string {
  const { resources } = JSON.parse(answer.toString()) as { resources: string[] }
  return resources[0]?.split('/').at(-1) ?? ''
}
