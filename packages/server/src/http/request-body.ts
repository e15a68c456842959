import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { RequestBody } from '../wire/door.ts'
import { type Exchange, FREE_BYTES } from './connection.ts'
import { ClientGone } from './messages.ts'
import { overloaded } from './overload.ts'

const NONE: RequestBody = { bytes: null, text: '' }
const EMPTY: RequestBody = { bytes: 0, text: '' }

/**
 * How much of a body that is not wanted is read and thrown away. A client that writes the whole body before it reads
 * would otherwise meet a reset connection instead of the answer that says what is wrong.
 */
const DISCARDED_BYTES = 64 * 1024 * 1024

/** A body is there as bytes, as text and as what the text says; the budget counts two of these. */
const COPIES = 2

/** The body of a request, on its way. */
export class IncomingBody {
  readonly #exchange: Exchange
  readonly #request: IncomingMessage
  readonly #maxBytes: number
  readonly #invite: (() => void) | null
  /** As announced; null when it comes in chunks, and when there is none. */
  readonly #declared: number | null
  readonly #exists: boolean
  #isInvited: boolean
  /** It is longer than anybody may send. */
  #isBeyondMeasure = false
  /** It made no progress, and others needed the room. */
  #isGivenUp = false

  /**
   * Longer bodies than `maxBytes` are not kept. `invite` tells a client that waits for it that it may send the body;
   * null when it does not wait.
   */
  constructor(exchange: Exchange, maxBytes: number, invite: (() => void) | null) {
    const { 'content-length': length, 'transfer-encoding': encoding } = exchange.request.headers
    this.#exchange = exchange
    this.#request = exchange.request
    this.#maxBytes = maxBytes
    this.#invite = invite
    this.#declared = length === undefined ? null : Number(length)
    this.#exists = length !== undefined || encoding !== undefined
    this.#isInvited = invite === null
  }

  /** Whether the connection can go on behind this request: not, if some of the body would be taken for the next one. */
  get isOver(): boolean {
    return this.#request.complete || !this.#exists || this.#declared === 0
  }

  /**
   * A longer body than is wanted is not kept; `bytes` then says how long it is, or that it is longer.
   * @throws WireError 503 when there is no room for it, ClientGone
   */
  read(): RequestBody | Promise<RequestBody> {
    if (!this.#exists) return NONE
    if (this.#declared === 0) return EMPTY
    const maxBytes = this.#maxBytes
    if (this.#declared !== null) {
      // A client that asks before it sends is told to go on only when the body will be read.
      const isUnwanted = this.#declared > maxBytes && !this.#isInvited
      if (isUnwanted || this.#declared > maxBytes + DISCARDED_BYTES) return { bytes: this.#declared, text: null }
    }
    this.#invite?.()
    this.#isInvited = true
    return this.#receive()
  }

  /**
   * Throws away what has not been read, so that the client is ready to hear the answer. Null: there is nothing to wait
   * for.
   */
  discard(): Promise<void> | null {
    const isHeldBack = !this.#isInvited
    const isTooLong = this.#isBeyondMeasure || (this.#declared ?? 0) > this.#maxBytes + DISCARDED_BYTES
    if (this.isOver || isHeldBack || isTooLong || this.#isGivenUp) return null
    return new Promise((resolve) => {
      this.#request.once('close', resolve).once('end', resolve).resume()
    })
  }

  #receive(): Promise<RequestBody> {
    const maxBytes = this.#maxBytes
    const request = this.#request
    const exchange = this.#exchange
    const chunks: Buffer[] = []
    let bytes = 0
    return new Promise((resolve, reject) => {
      let isHeld = false
      let isRefused = false
      const refuse = () => {
        isRefused = true
        chunks.length = 0
        reject(overloaded())
      }
      const giveUp = () => {
        this.#isGivenUp = true
        refuse()
      }
      const holdFor = (length: number): void => {
        if (isHeld || isRefused || length <= FREE_BYTES || length > maxBytes) return
        // What came with the head is given up together with the body from now on.
        exchange.keep()
        isHeld = exchange.hold(COPIES * length, giveUp)
        if (!isHeld) refuse()
      }
      holdFor(this.#declared ?? 0)
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        // One that comes in chunks may become as long as any.
        if (this.#declared === null && bytes > FREE_BYTES) holdFor(maxBytes)
        if (bytes <= maxBytes && !isRefused) chunks.push(chunk)
        else chunks.length = 0
        if (bytes > maxBytes + DISCARDED_BYTES) {
          this.#isBeyondMeasure = true
          request.pause()
          resolve({ bytes, text: null })
        }
      })
      request.on('end', () => {
        exchange.keep()
        resolve(bytes > maxBytes ? { bytes, text: null } : toBody(chunks))
      })
      request.on('error', (cause) => reject(new ClientGone('the client went away', { cause })))
      // Comes behind every body; an error object is not made for nothing.
      request.on('close', () => request.complete || reject(new ClientGone('the client went away')))
    })
  }
}

function toBody(chunks: readonly Buffer[]): RequestBody {
  const content = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  return { bytes: content.length, text: isUtf8(content) ? content.toString('utf8') : null }
}
