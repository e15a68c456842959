import type { Sealer } from '../sealed-id.ts'

/** What an id names: a message or claim by its number in its bucket. */
export type Identity = readonly [bucket: number, number: number]

/** Where a page ended: [low bits of the bucket, place or null for none yet, number from its POST]. */
export type Position = readonly [bucketBits: number, place: number | null, posted: number]

/** Says that a sealed block is a marker, not the id of a message; the bits below are the low bits of the bucket. */
const IS_MARKER = 0x800000
const BUCKET_BITS = 0x7fffff

/** Ids and markers. Of a message or claim: its number, and the whole bucket in place of the instant. */
export class Identifiers {
  readonly #sealer: Sealer

  constructor(sealer: Sealer) {
    this.#sealer = sealer
  }

  ofMessages(identities: readonly Identity[]): string[] {
    return this.#sealer.sealAll(
      identities.map(([bucket, number]) => ({ kind: 'message', createdAt: 0, number, incarnation: bucket })),
    )
  }

  ofClaim([bucket, number]: Identity): string {
    return this.#sealer.seal({ kind: 'claim', createdAt: 0, number, incarnation: bucket })
  }

  ofPosition([bucket, place, posted]: Position): string {
    const bits = IS_MARKER | (bucket & BUCKET_BITS)
    return this.#sealer.seal({ kind: 'message', createdAt: bits, number: posted, incarnation: place ?? 0 })
  }

  /** Null when `id` is none of a message. */
  message(id: string): Identity | null {
    const opened = this.#sealer.open('message', id)
    return opened && opened.createdAtBits === 0 ? [opened.incarnation, opened.number] : null
  }

  /** Of those that are ids of messages, each once. */
  messages(ids: readonly string[]): Identity[] {
    return [...new Set(ids)].flatMap((id) => {
      const identity = this.message(id)
      return identity ? [identity] : []
    })
  }

  /** Names no claim when `id` is none of one. */
  claim(id: string): Identity {
    const opened = this.#sealer.open('claim', id)
    return opened ? [opened.incarnation, opened.number] : [0, 0]
  }

  /** Takes a marker, or the id of a message, which stands for its place at its POST. */
  position(marker: string): Position | null {
    const opened = this.#sealer.open('message', marker)
    if (opened === null) return null
    const { number, incarnation, createdAtBits } = opened
    if (createdAtBits & IS_MARKER) return [createdAtBits & BUCKET_BITS, incarnation === 0 ? null : incarnation, number]
    return [incarnation & BUCKET_BITS, number, number]
  }
}
