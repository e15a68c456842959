import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { StorageUnavailable } from '../contract.ts'

/**
 * Seals bodies with AES-256-GCM. A sealed body is `enc:1:KEY:CONTENT`: a mark that begins no JSON text, the version of
 * this form, the id of the key, and in base64 a salt (16 bytes), a nonce (12), the tag (16) and the ciphertext. The
 * associated data are the first three parts and the project, so that a body put into another project does not open. The
 * queue is not among them: a message may move to a dead letter queue and back.
 *
 * Each message has a key of its own, HMAC-SHA-256 of its salt, so that random nonces do not wear a key out: with a
 * single one they may after 2^32 messages, two days of full load.
 */
export class MessageCipher {
  readonly #current: Key | null
  readonly #known: ReadonlyMap<string, Key>

  /** `current` seals; it and the `previous` ones open what they have sealed. */
  constructor(current: string | null, previous: readonly string[]) {
    this.#current = current === null ? null : deriveKey(current)
    const keys = [...(this.#current === null ? [] : [this.#current]), ...previous.map(deriveKey)]
    this.#known = new Map(keys.map((key) => [key.id, key]))
  }

  get hasKey(): boolean {
    return this.#current !== null
  }

  /** @throws StorageUnavailable where there is no key */
  seal(body: string, project: string): string {
    if (this.#current === null) {
      throw new StorageUnavailable(
        'the queue wants its messages encrypted, and no [transport] message_encryption_key is set',
      )
    }
    const { id, value } = this.#current
    const head = `${MARK}1:${id}:`
    const random = randomBytes(SALT_BYTES + NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', messageKey(value, random), random.subarray(SALT_BYTES))
    cipher.setAAD(associatedData(head, project))
    const content = Buffer.concat([cipher.update(body, 'utf8'), cipher.final()])
    return head + Buffer.concat([random, cipher.getAuthTag(), content]).toString('base64')
  }

  /**
   * A body that was never sealed is answered as it is.
   * @throws StorageUnavailable where the key is not known, or the body is not what was sealed for this project
   */
  open(stored: string, project: string): string {
    if (!stored.startsWith(MARK)) return stored
    const [, head = '', id = '', content = ''] = /^(enc:1:([0-9a-f]*):)(.*)$/.exec(stored) ?? []
    const key = this.#known.get(id)
    if (key === undefined) {
      throw new StorageUnavailable(
        `a message is encrypted with the key ${id}, which is none of [transport] message_encryption_key and message_encryption_previous_keys`,
      )
    }
    const bytes = Buffer.from(content, 'base64')
    const tagAt = SALT_BYTES + NONCE_BYTES
    try {
      const nonce = bytes.subarray(SALT_BYTES, tagAt)
      const decipher = createDecipheriv('aes-256-gcm', messageKey(key.value, bytes), nonce, {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(associatedData(head, project))
      decipher.setAuthTag(bytes.subarray(tagAt, tagAt + TAG_BYTES))
      return decipher.update(bytes.subarray(tagAt + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    } catch (cause) {
      throw new StorageUnavailable('an encrypted message was changed in the store', { cause })
    }
  }

  /**
   * What stands in the store for the digest of a body: whoever reads it there cannot try what the body may have been,
   * nor see that two are alike. `context` says what it is the digest for. First the one to store, then what earlier
   * keys made of it.
   */
  digests(digest: string, context: readonly string[]): string[] {
    const text = JSON.stringify([digest, ...context])
    const keyed = [...this.#known.values()].map(({ digestKey }) =>
      createHmac('sha256', digestKey).update(text).digest('base64'),
    )
    return this.#current === null ? [digest, ...keyed] : keyed
  }
}

/** No JSON text begins so. */
const MARK = 'enc:'
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16

interface Key {
  /** Says which key it is and nothing about it. */
  readonly id: string
  readonly value: Buffer
  readonly digestKey: Buffer
}

function deriveKey(secret: string): Key {
  const derive = (purpose: string, bytes: number) => Buffer.from(hkdfSync('sha256', secret, '', purpose, bytes))
  return {
    id: derive('zaqar message key id', 6).toString('hex'),
    value: derive('zaqar message key', 32),
    digestKey: derive('zaqar digest key', 32),
  }
}

function messageKey(key: Buffer, random: Buffer): Buffer {
  return createHmac('sha256', key).update(random.subarray(0, SALT_BYTES)).digest()
}

function associatedData(head: string, project: string): Buffer {
  return Buffer.from(head + project)
}
