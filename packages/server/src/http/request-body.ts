import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { RequestBody } from '../wire/door.ts'
import { ClientGone } from './messages.ts'
import { overloaded } from './overload.ts'

const NONE: RequestBody = { bytes: null, text: '' }
const EMPTY: RequestBody = { bytes: 0, text: '' }

/**
 * How much of a body that is not wanted is read and thrown away. A client that writes the whole body before it reads would
 * otherwise meet a reset connection instead of the answer that says what is wrong.
 */
const DISCARDED_BYTES = 64 * 1024 * 1024

/** A body is there as bytes, as text and as what the text says; the budget counts two of these. */
const COPIES = 2

export interface BodyTerms {
  /** Longer bodies are not kept. */
  readonly maxBytes: number
  /** Bodies up to this size, in bytes, need not be held in the budget. */
  readonly freeBytes: number
  /** Holds so many bytes in the budget; false when they are not left. `giveUp` is called when they are taken away again. */
  hold(bytes: number, giveUp: () => void): boolean
  /** The body is whole: what is held for it is not taken away any more. */
  keep(): void
  /** Tells a client that waits for it that it may send the body; null when it does not wait. */
  readonly invite: (() => void) | null
}

/** The body of a request, on its way. */
export class IncomingBody {
  readonly #request: IncomingMessage
  readonly #terms: BodyTerms
  /** As announced; null when it comes in chunks, and when there is none. */
  readonly #declared: number | null
  readonly #exists: boolean
  #isInvited: boolean
  /** It is longer than anybody may send. */
  #isBeyondMeasure = false

  constructor(request: IncomingMessage, terms: BodyTerms) {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
    this.#request = request
    this.#terms = terms
    this.#declared = length === undefined ? null : Number(length)
    this.#exists = length !== undefined || encoding !== undefined
    this.#isInvited = terms.invite === null
  }

  /** Whether the connection can go on behind this request: not, if some of the body would be taken for the next one. */
  get isOver(): boolean {
    return this.#request.complete || !this.#exists || this.#declared === 0
  }

  /**
   * A longer body than is wanted is not kept; `bytes` then says how long it is, or that it is longer.
   * @throws Refusal 503 when there is no room for it, ClientGone
   */
  read(): RequestBody | Promise<RequestBody> {
    if (!this.#exists) return NONE
    if (this.#declared === 0) return EMPTY
    const { maxBytes, invite } = this.#terms
    if (this.#declared !== null) {
      // A client that asks before it sends is told to go on only when the body will be read.
      const isUnwanted = this.#declared > maxBytes && !this.#isInvited
      if (isUnwanted || this.#declared > maxBytes + DISCARDED_BYTES) return { bytes: this.#declared, text: null }
    }
    invite?.()
    this.#isInvited = true
    return this.#receive()
  }

  /** Throws away what has not been read, so that the client is ready to hear the answer. Null: there is nothing to wait for. */
  discard(): Promise<void> | null {
    const isHeldBack = !this.#isInvited
    const isTooLong = this.#isBeyondMeasure || (this.#declared ?? 0) > this.#terms.maxBytes + DISCARDED_BYTES
    if (this.isOver || isHeldBack || isTooLong) return null
    return new Promise((resolve) => {
      this.#request.once('close', resolve).once('end', resolve).resume()
    })
  }

  #receive(): Promise<RequestBody> {
    const { maxBytes, freeBytes, hold, keep } = this.#terms
    const request = this.#request
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
      const holdFor = (length: number): void => {
        if (isHeld || isRefused || length <= freeBytes || length > maxBytes) return
        isHeld = hold(COPIES * length, refuse)
        if (!isHeld) refuse()
      }
      holdFor(this.#declared ?? 0)
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        // One that comes in chunks may become as long as any.
        if (this.#declared === null && bytes > freeBytes) holdFor(maxBytes)
        if (bytes <= maxBytes && !isRefused) chunks.push(chunk)
        else chunks.length = 0
        if (bytes > maxBytes + DISCARDED_BYTES) {
          this.#isBeyondMeasure = true
          request.pause()
          resolve({ bytes, text: null })
        }
      })
      request.on('end', () => {
        keep()
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
