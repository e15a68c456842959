/**
 * Ids and markers: a number, the incarnation of the queue that gave it, and an instant, sealed into one AES block.
 *
 * The number finds the row without a further index; the seal keeps it from telling how much traffic there is, and makes
 * an id impossible to guess. A block is not secret by itself: who opens one still checks it against the row.
 */
import { type Cipheriv, createCipheriv, createDecipheriv, createHash, type Decipheriv } from 'node:crypto'
import type { QueueKey } from '../model/model.ts'
import { queueId } from '../model/queue-id.ts'

const BLOCK_BYTES = 16
const KIND_BYTE = { message: 1, claim: 2, marker: 3, posting: 4, departure: 5, failure: 6 }
const FORM = /^[0-9a-f]{32}$/

/**
 * `marker`: a place in a queue; `posting`: a place in the order of posting; `failure`: one among those of a subscription.
 */
export type SealedKind = keyof typeof KIND_BYTE

/** `number` and `incarnation` are below 2^48; of `createdAt` the low 24 bits count. */
export interface Unsealed {
  readonly kind: SealedKind
  readonly number: number
  readonly incarnation: number
  readonly createdAt: number
}

export interface Opened {
  readonly number: number
  readonly incarnation: number
  /** See `instantBits`. */
  readonly createdAtBits: number
}

export const SEAL_KEY_BYTES = 16

export class Sealer {
  // ECB on purpose: every block is sealed for itself, none repeats, and one cipher object serves for ever.
  readonly #cipher: Cipheriv
  readonly #decipher: Decipheriv

  /** `key`: `SEAL_KEY_BYTES` random bytes that belong to the service. */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    this.#decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  }

  /** 32 lower-case hex digits for each. */
  sealAll(all: readonly Unsealed[]): string[] {
    const blocks = Buffer.allocUnsafe(BLOCK_BYTES * all.length)
    let at = 0
    for (const { kind, number, incarnation, createdAt } of all) {
      blocks.writeUIntBE(number, at, 6)
      blocks.writeUIntBE(incarnation, at + 6, 6)
      blocks.writeUIntBE(instantBits(createdAt), at + 12, 3)
      blocks[at + 15] = KIND_BYTE[kind]
      at += BLOCK_BYTES
    }
    // One call for all: the call costs more than the sealing.
    const sealed = this.#cipher.update(blocks).toString('hex')
    return all.map((_, i) => sealed.slice(i * BLOCK_BYTES * 2, (i + 1) * BLOCK_BYTES * 2))
  }

  seal(one: Unsealed): string {
    return this.sealAll([one])[0] as string
  }

  /** Null when `text` was not sealed with this key, as one of that kind. */
  open(kind: SealedKind, text: string): Opened | null {
    if (!FORM.test(text)) return null
    const block = this.#decipher.update(Buffer.from(text, 'hex'))
    if (block[15] !== KIND_BYTE[kind]) return null
    return {
      number: block.readUIntBE(0, 6),
      incarnation: block.readUIntBE(6, 6),
      createdAtBits: block.readUIntBE(12, 3),
    }
  }
}

/** In whose incarnation the failures of a subscription are numbered: the same one in whatever store the queue lies. */
export function failuresOf(queue: QueueKey, subscription: string): number {
  return createHash('sha256')
    .update(`${queueId(queue)} ${subscription}`)
    .digest()
    .readUIntBE(0, 6)
}

/** What of an instant is sealed. */
export function instantBits(instant: number): number {
  return instant & 0xffffff
}
