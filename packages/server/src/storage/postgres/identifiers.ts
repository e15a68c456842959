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
      identities.map(([bucket, number]) => ({ kind: 'message', bucket: 0, number, instant: bucket })),
    )
  }

  ofClaim([bucket, number]: Identity): string {
    return this.#sealer.seal({ kind: 'claim', bucket: 0, number, instant: bucket })
  }

  ofPosition([bucket, place, posted]: Position): string {
    const bits = IS_MARKER | (bucket & BUCKET_BITS)
    return this.#sealer.seal({ kind: 'message', bucket: bits, number: posted, instant: place ?? 0 })
  }

  /** Null when `id` is none of a message. */
  message(id: string): Identity | null {
    const opened = this.#sealer.open('message', 0, id)
    return opened && [opened.instant, opened.number]
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
    const opened = this.#sealer.open('claim', 0, id)
    return opened ? [opened.instant, opened.number] : [0, 0]
  }

  /** Takes a marker, or the id of a message, which stands for its place at its POST. */
  position(marker: string): Position | null {
    const opened = this.#sealer.openAny('message', marker)
    if (opened === null) return null
    const { number, instant, bucketBits } = opened
    if (bucketBits & IS_MARKER) return [bucketBits & BUCKET_BITS, instant === 0 ? null : instant, number]
    return [instant & BUCKET_BITS, number, number]
  }
}
