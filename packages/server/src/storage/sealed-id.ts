/**
 * Ids and markers: a number and an instant, sealed into one AES block.
 *
 * The number finds the row without a further index; the seal keeps it from telling how much traffic the store has, and
 * makes an id impossible to guess. A block is not secret by itself: who opens one still checks it against the row.
 */
import { type Cipheriv, createCipheriv, createDecipheriv, type Decipheriv } from 'node:crypto'

export type SealedKind = 'message' | 'claim'

/** `number` and `instant` are below 2^48; of `bucket` the low 24 bits count. */
export interface Unsealed {
  readonly kind: SealedKind
  readonly bucket: number
  readonly number: number
  readonly instant: number
}

export interface Opened {
  readonly number: number
  readonly instant: number
}

const BLOCK_BYTES = 16
const KIND_BYTE: Record<SealedKind, number> = { message: 1, claim: 2 }
const FORM = /^[0-9a-f]{32}$/

export const SEAL_KEY_BYTES = 16

export class Sealer {
  // ECB on purpose: every block is sealed for itself, none repeats, and one cipher object serves for ever.
  readonly #cipher: Cipheriv
  readonly #decipher: Decipheriv

  /** `key`: `SEAL_KEY_BYTES` random bytes that belong to the store. */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    this.#decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  }

  /** 32 lower-case hex digits for each. */
  sealAll(all: readonly Unsealed[]): string[] {
    const blocks = Buffer.allocUnsafe(BLOCK_BYTES * all.length)
    let at = 0
    for (const { kind, bucket, number, instant } of all) {
      blocks.writeUIntBE(number, at, 6)
      blocks.writeUIntBE(instant, at + 6, 6)
      blocks.writeUIntBE(bucket & 0xffffff, at + 12, 3)
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

  /** Null when `text` was not sealed by this store for that kind and bucket. */
  open(kind: SealedKind, bucket: number, text: string): Opened | null {
    const opened = this.openAny(kind, text)
    return opened !== null && opened.bucketBits === (bucket & 0xffffff) ? opened : null
  }

  /** As `open`, for whatever bucket. */
  openAny(kind: SealedKind, text: string): (Opened & { readonly bucketBits: number }) | null {
    if (!FORM.test(text)) return null
    const block = this.#decipher.update(Buffer.from(text, 'hex'))
    if (block[15] !== KIND_BYTE[kind]) return null
    return {
      number: block.readUIntBE(0, 6),
      instant: block.readUIntBE(6, 6),
      bucketBits: block.readUIntBE(12, 3),
    }
  }
}
