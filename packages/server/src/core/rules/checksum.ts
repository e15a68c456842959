import { createHash } from 'node:crypto'

/**
 * `MD5:` and the digest of a body, over its JSON text with all non-ASCII characters escaped; null for a null body, which
 * has none. (contract http.md 6.11)
 */
export function checksumOf(body: string): string | null {
  if (body === 'null') return null
  const ascii = body.replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `MD5:${createHash('md5').update(ascii).digest('hex')}`
}
