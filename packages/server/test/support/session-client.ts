import assert from 'node:assert/strict'
import { pack, unpack } from 'msgpackr'
import type { Application } from '../../src/application.ts'
import type { Session } from '../../src/websocket/session.ts'
import type { Encoding } from '../../src/wire/websocket/encodings.ts'
import { CLIENT_ID, PROJECT } from './test-client.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of many shapes and fail where one is not as they say.
type Document = any

export interface SessionReply {
  readonly status: number
  readonly body: Document
  /** The whole frame. */
  readonly frame: Document
}

export interface Ask {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly encoding?: Encoding
}

/**
 * A client of a session in process: no socket lies between them. Answers are matched with requests by `request_id`.
 */
export class SessionClient {
  /** What was pushed, in its order. */
  readonly pushed: Document[] = []
  /** With what the session has closed the connection; null: it has not. */
  closed: { readonly code: number; readonly reason: string } | null = null
  readonly #session: Session
  readonly #asked = new Map<number, (reply: SessionReply) => void>()
  #count = 0
  #onPushed: (() => void) | null = null

  constructor(open: Application['openSession'], id: string) {
    this.#session = open({
      id,
      address: '127.0.0.1',
      untaken: 0,
      send: (payload, encoding) => this.#onAnswer(parse(payload, encoding)),
      push: (blocks) => this.#onPush(blocks),
      taken: () => Promise.resolve(),
      turned: () => {},
      accepted: () => {},
      answered: () => {},
      close: (code, reason) => {
        this.closed = { code, reason }
        this.#session.over()
      },
    })
  }

  ask(action: string, body?: object, { headers = {}, encoding = 'json' }: Ask = {}): Promise<SessionReply> {
    this.#count += 1
    const request = {
      action,
      headers: { 'Client-ID': CLIENT_ID, 'X-Project-ID': PROJECT, ...headers },
      ...(body && { body }),
      request_id: this.#count,
    }
    return new Promise((resolve) => {
      this.#asked.set(this.#count, resolve)
      this.#session.receive(print(request, encoding), encoding)
    })
  }

  /** Resolves when so many have been pushed in all. */
  async pushes(count: number): Promise<readonly Document[]> {
    while (this.pushed.length < count) {
      await new Promise<void>((resolve) => {
        this.#onPushed = resolve
      })
    }
    return this.pushed
  }

  /** The connection is gone. */
  leave(): void {
    this.#session.over()
  }

  #onAnswer(frame: Document): void {
    const answer = this.#asked.get(frame.request_id)
    assert.ok(answer, `nobody asked for ${JSON.stringify(frame)}`)
    this.#asked.delete(frame.request_id)
    answer({ status: frame.headers.status, body: frame.body, frame })
  }

  #onPush(blocks: readonly Buffer[]): void {
    this.pushed.push(...framesIn(Buffer.concat(blocks)))
    this.#onPushed?.()
  }
}

function parse(payload: Uint8Array, encoding: Encoding): Document {
  return encoding === 'json' ? JSON.parse(Buffer.from(payload).toString()) : unpack(payload)
}

function print(document: object, encoding: Encoding): Buffer {
  return Buffer.from(encoding === 'json' ? JSON.stringify(document) : pack(document))
}

/** The documents of whole frames, which a server does not mask. (RFC 6455, 5.2) */
function framesIn(bytes: Buffer): Document[] {
  const documents: Document[] = []
  for (let at = 0; at < bytes.length; ) {
    const [opcode = 0, short = 0] = [bytes[at], bytes[at + 1]]
    const [head, length] =
      short === 127
        ? [10, Number(bytes.readBigUInt64BE(at + 2))]
        : short === 126
          ? [4, bytes.readUInt16BE(at + 2)]
          : [2, short]
    documents.push(parse(bytes.subarray(at + head, at + head + length), opcode === 0x81 ? 'json' : 'msgpack'))
    at += head + length
  }
  return documents
}
