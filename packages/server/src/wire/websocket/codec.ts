import type { Json } from '../../model/model.ts'
import type { SocketAnswer } from './socket-door.ts'

/** An encoding of frames. `Raw` is a piece of one: text, or bytes. */
export interface Codec<Raw> {
  /** As upstream calls it. */
  readonly called: string
  /** @throws Undecodable */
  decode(data: Buffer): Decoded<Raw>
  echo(repeated: Repeated<Raw>): Echo
}

export interface Decoded<Raw> {
  readonly document: Json
  /** The values of the document as they came, by key, where it is an object. */
  readonly members: ReadonlyMap<string, Raw>
}

/** What is repeated of a request, as it came. */
export interface Repeated<Raw> {
  readonly action?: Raw | undefined
  readonly body?: Raw | undefined
  readonly headers?: Raw | undefined
  readonly requestId?: Raw | undefined
}

/** A request as its answer repeats it, in the encoding of both. */
export interface Echo {
  /** The payload of the frame. */
  answer(answer: SocketAnswer): Buffer
}

/**
 * What is in a frame cannot be read. `message` says what is wrong, after Python's name for such an error. It is thrown,
 * but no error: to make the stack of one takes longer than to read a frame, and whoever likes may send bad ones.
 */
export class Undecodable {
  readonly message: string

  constructor(type: string, detail: string) {
    this.message = `${type}: ${detail}`
  }
}
