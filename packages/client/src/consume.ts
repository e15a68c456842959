import type { Message } from './documents.ts'
import type { Queue } from './queue.ts'

export interface ConsumeOptions {
  /** Handlers that run at the same time, at the most; 1 where it is not given. */
  readonly concurrency?: number
  /**
   * Messages that are claimed at the same time, those being handled included. With 1, the default where `concurrency`
   * is 1, the order of the queue is kept whatever fails; otherwise twice `concurrency`.
   */
  readonly prefetch?: number
  /** Life of a claim in seconds, 60 where it is not given; a claim is renewed for as long as its messages are handled. */
  readonly ttl?: number
  /** Seconds. */
  readonly grace?: number
  /**
   * How long a message is kept back after its handler has failed, before it can be claimed again, in seconds. 1 where
   * it is not given. It doubles with each time the message was claimed, up to a minute.
   */
  readonly retryDelay?: number
  /** Ends it as `stop({ release: true })` does. */
  readonly signal?: AbortSignal
  /** Told of what went wrong, with the message where it is about one; written to the console where it is not given. */
  readonly onError?: (error: unknown, message: Message | null) => void
}

export interface Handling {
  /** Aborted when the claim was lost, or the consumer is to give back what it has: somebody else may get the message. */
  readonly signal: AbortSignal
  readonly claimId: string
}

/** The message is done when what it answers has resolved. */
export type MessageHandler<Body> = (message: Message<Body>, handling: Handling) => unknown

/** Claims messages of a queue, hands them over, and deletes those that are done. */
export class Consumer<Body = unknown> {
  constructor(_queue: Queue, _handler: MessageHandler<Body>, _options: ConsumeOptions) {
    throw new Error('being built')
  }

  /**
   * Resolves when it has ended, after `stop`; rejects with the error that ended it, when going on has no sense
   * (what is asked is wrong or not allowed).
   */
  get ended(): Promise<void> {
    throw new Error('being built')
  }

  /** Takes nothing more, waits for the handlers, deletes what is done, gives back the rest. With `release` it aborts them. */
  stop(_options: { readonly release?: boolean } = {}): Promise<void> {
    throw new Error('being built')
  }
}
