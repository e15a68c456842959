import { createHash } from 'node:crypto'

/** Characters that are escaped and digested at one time; each becomes six bytes at the most. */
const PART = 16_384
const scratch = Buffer.alloc(6 * PART)
const HEX_DIGITS = Buffer.from('0123456789abcdef')
const [BACKSLASH, SMALL_U, DELETE] = [0x5c, 0x75, 0x7f]

/**
 * `MD5:` and the digest of a body, over its JSON text with all non-ASCII characters escaped; null for a null body,
 * which has none. (contract http.md 6.11)
 */
export function checksumOf(body: string): string | null {
  if (body === 'null') return null
  const hash = createHash('md5')
  if (isPlain(body)) return `MD5:${hash.update(body).digest('hex')}`
  for (let from = 0; from < body.length; from += PART) hash.update(escaped(body, from))
  return `MD5:${hash.digest('hex')}`
}

/** Whether nothing is to be escaped; answered by two fast looks, because most bodies are so. */
function isPlain(body: string): boolean {
  return Buffer.byteLength(body) === body.length && !body.includes('\u007f')
}

/** A part of the body in ASCII; good until the next one is made. */
function escaped(body: string, from: number): Buffer {
  const to = Math.min(body.length, from + PART)
  let end = 0
  for (let i = from; i < to; i++) {
    const code = body.charCodeAt(i)
    if (code < DELETE) {
      scratch[end++] = code
      continue
    }
    scratch[end] = BACKSLASH
    scratch[end + 1] = SMALL_U
    scratch[end + 2] = HEX_DIGITS[code >> 12] as number
    scratch[end + 3] = HEX_DIGITS[(code >> 8) & 15] as number
    scratch[end + 4] = HEX_DIGITS[(code >> 4) & 15] as number
    scratch[end + 5] = HEX_DIGITS[code & 15] as number
    end += 6
  }
  return scratch.subarray(0, end)
}
