import type { Metadata } from './documents.ts'
import type { Socket } from './socket.ts'
import type { Topic } from './topic.ts'

/** A way to be told of messages. */
export type Transport = 'socket' | 'events' | 'poll'

export interface SubscribeOptions {
  /** A marker: it begins behind it. `'start'`: at the oldest message. Where it is not given: with what is posted from now on. */
  readonly from?: string
  /** Only messages whose body fits, as the `_filter` of a subscription says it. */
  readonly filter?: Metadata
  /** Ways to try, in this order; all three where it is not given. */
  readonly transports?: readonly Transport[]
  readonly signal?: AbortSignal
  /** Told of what went wrong, a handler's error included; written to the console where it is not given. */
  readonly onError?: (error: unknown, message: ReceivedMessage | null) => void
}

export interface ReceivedMessage<Body = unknown> {
  readonly id: string
  readonly body: Body
  readonly ttl: number
  /** `from` of a later subscription goes on behind this message. */
  readonly marker: string
}

export type ReceivedHandler<Body> = (message: ReceivedMessage<Body>) => unknown

/** Is told of each message of a queue or topic, in order, one at a time; goes on by itself after a break. */
export class Subscriber<Body = unknown> {
  constructor(_topic: Topic, _socket: Socket, _handler: ReceivedHandler<Body>, _options: SubscribeOptions) {
    throw new Error('being built')
  }

  /** How it is told at the moment; null while it is not connected. */
  get transport(): Transport | null {
    throw new Error('being built')
  }

  /** Behind the last message that was handled; undefined before there was one. */
  get marker(): string | undefined {
    throw new Error('being built')
  }

  /** Resolves when it has ended, after `stop`; rejects with the error that ended it. */
  get ended(): Promise<void> {
    throw new Error('being built')
  }

  /** Waits for the handler that runs. */
  stop(): Promise<void> {
    throw new Error('being built')
  }
}
