import type { CallOptions, Requests } from './requests.ts'

export interface SocketOptions {
  readonly WebSocket?: typeof globalThis.WebSocket | undefined
  /** Reads and writes MessagePack: frames are binary then. Without it they are JSON. */
  readonly msgpack?: MessagePack | undefined
  /** Requests that wait for a connection, at the most; 1,000 where it is not given. */
  readonly maxWaiting?: number | undefined
}

/** What `@msgpack/msgpack` has, and `msgpackr` too. */
export interface MessagePack {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

/** The one connection of a client. It is opened when it is first needed, and opened again when it breaks. */
export class Socket {
  constructor(_requests: Requests, _options: SocketOptions) {
    throw new Error('being built')
  }

  /**
   * Asks for an action of the socket (`docs/websocket.md` of the service). Answers the body of the answer.
   * @throws ZaqarError, or the reason of the signal
   */
  request(_action: string, _body: Record<string, unknown>, _options: CallOptions = {}): Promise<unknown> {
    throw new Error('being built')
  }

  close(): void {
    throw new Error('being built')
  }
}
