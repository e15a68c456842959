import type { Json, QueueKey } from '../../model/model.ts'
import { queueId } from '../../model/queue-id.ts'
import { StorageUnavailable } from '../contract.ts'
import { Lane, type LaneOptions } from './lane.ts'

/** Parameters of a move, as the SQL function of that name takes them. */
export type Parameters = Readonly<Record<string, unknown>>

export interface LanesOptions extends LaneOptions {
  /** Connections for moves that write, and as many for moves that read. */
  readonly connections: number
}

/**
 * The way to the server: a bounded number of connections. All writes to a queue take the same one, so that they share
 * transactions instead of waiting for each other's locks; reads take whichever is free.
 */
export class Lanes {
  readonly #writers: readonly Lane[]
  readonly #readers: readonly Lane[]
  #isClosed = false

  constructor({ connections, ...options }: LanesOptions) {
    this.#writers = Array.from({ length: connections }, () => new Lane(options))
    this.#readers = Array.from({ length: connections }, () => new Lane(options))
    const lanes = [...this.#writers, ...this.#readers]
    const { figures } = options
    figures.waiting = () => lanes.reduce((sum, { waiting }) => sum + waiting, 0)
    figures.lanes = () => ({
      all: lanes.length,
      busy: lanes.filter(({ load }) => load > 0).length,
      connected: lanes.filter(({ isConnected }) => isConnected).length,
    })
  }

  /** A move that writes to one queue. */
  write<Answer extends Json>(move: string, key: QueueKey, parameters: Parameters): Promise<Answer> {
    const lockKey = queueId(key)
    return this.#submit(this.#writerOf(lockKey), move, { ...parameters, ...nameOf(key) }, lockKey)
  }

  /** A move that writes messages and claims of one queue. One that writes to other queues besides must be `isAlone`. */
  visit<Answer extends Json>(move: string, key: QueueKey, parameters: Parameters, isAlone = false): Promise<Answer> {
    const lockKey = queueId(key)
    const complete = { ...parameters, ...nameOf(key), visit: lockKey }
    return this.#submit(this.#writerOf(lockKey), move, complete, lockKey, isAlone)
  }

  /** A move that reads one queue. It may have to settle what is due there first. */
  read<Answer extends Json>(move: string, key: QueueKey, parameters: Parameters): Promise<Answer> {
    return this.#submit(this.#freeReader(), move, { ...parameters, ...nameOf(key) }, queueId(key))
  }

  /** A move that touches no queue. */
  service<Answer extends Json>(move: string, parameters: Parameters): Promise<Answer> {
    return this.#submit(this.#freeReader(), move, parameters, '')
  }

  /** A move that locks queues of its own choice, and so must not share a transaction. */
  alone<Answer extends Json>(move: string, parameters: Parameters): Promise<Answer> {
    return this.#submit(this.#freeReader(), move, parameters, '', true)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#writers, ...this.#readers].map((lane) => lane.close()))
  }

  #submit<Answer extends Json>(
    lane: Lane,
    move: string,
    parameters: Parameters,
    lockKey: string,
    isAlone = false,
  ): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(new StorageUnavailable('the storage is closed'))
    return new Promise((resolve, reject) => {
      const text = JSON.stringify({ move, ...parameters })
      lane.submit({ text, lockKey, isAlone, resolve: resolve as (answer: Json) => void, reject })
    })
  }

  #writerOf(lockKey: string): Lane {
    return this.#writers[hash(lockKey) % this.#writers.length] as Lane
  }

  #freeReader(): Lane {
    return this.#readers.reduce((best, lane) => (lane.load < best.load ? lane : best))
  }
}

function nameOf({ project, kind, name }: QueueKey): QueueKey {
  return { project, kind, name }
}

/** FNV-1a. */
function hash(text: string): number {
  let sum = 0x811c9dc5
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193)
  return sum >>> 0
}
