import { type ConsumeOptions, Consumer, type MessageHandler } from './consume.ts'
import { Queue as HttpQueue } from './queue.ts'
import type { Requests } from './requests.ts'
import { Socket, type SocketOptions } from './socket.ts'
import { type ReceivedHandler, type SubscribeOptions, Subscriber } from './subscribe.ts'
import { Topic as HttpTopic } from './topic.ts'
import { type ZaqarOptions as HttpOptions, Zaqar as HttpZaqar } from './zaqar.ts'

export interface ZaqarOptions extends HttpOptions, SocketOptions {}

/** A client of one service, in the name of one caller. */
export class Zaqar extends HttpZaqar {
  /** All its queues and topics share it. */
  readonly socket: Socket

  constructor(options: ZaqarOptions) {
    super(options)
    this.socket = new Socket(this.requests, options)
  }

  override queue(name: string): Queue {
    return new Queue(this.requests, name, this.socket)
  }

  override topic(name: string): Topic {
    return new Topic(this.requests, name, this.socket)
  }

  /** Closes the socket. What runs over it ends. */
  close(): void {
    this.socket.close()
  }
}

export class Topic extends HttpTopic {
  readonly #socket: Socket

  constructor(requests: Requests, name: string, socket: Socket) {
    super(requests, name)
    this.#socket = socket
  }

  /** Hands over each message as it is posted. */
  subscribe<Body = unknown>(handler: ReceivedHandler<Body>, options: SubscribeOptions = {}): Subscriber<Body> {
    return new Subscriber(this, this.#socket, handler, options)
  }
}

export class Queue extends HttpQueue {
  readonly #socket: Socket

  constructor(requests: Requests, name: string, socket: Socket) {
    super(requests, name)
    this.#socket = socket
  }

  /** Claims messages and hands them over; what is handled is deleted, what fails is given back. */
  consume<Body = unknown>(handler: MessageHandler<Body>, options: ConsumeOptions = {}): Consumer<Body> {
    return new Consumer(this, handler, options)
  }

  /** Hands over each message as it is posted. Nothing is claimed or deleted. */
  subscribe<Body = unknown>(handler: ReceivedHandler<Body>, options: SubscribeOptions = {}): Subscriber<Body> {
    return new Subscriber(this, this.#socket, handler, options)
  }
}
