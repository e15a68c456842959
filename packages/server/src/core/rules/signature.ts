/** Signed URLs: what is signed, how, and what a signature admits. (contract signed-urls.md 3, 4) */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a signed URL is good for. */
export interface SignedScope {
  readonly methods: readonly string[]
  /** Each admits itself and what lies below it. */
  readonly paths: readonly string[]
}

export interface SignedTerms extends SignedScope {
  readonly project: string | null
  /** UTC in whole seconds without a zone, as `formatIsoTime` writes it. */
  readonly expires: string
}

export interface UrlSigner {
  /** Lower-case hexadecimal. Null where the terms could be read in another way, see `isAmbiguous`. */
  sign(terms: SignedTerms): string | null
  /** Whether one of the keys has signed these terms. */
  accepts(terms: SignedTerms, signature: string): boolean
}

/** A backslash and the letter n, not a line feed: clients and peers compute it so. */
const SEPARATOR = '\\n'

/** The first key signs, all of them verify. */
export function createUrlSigner(keys: readonly [string, ...string[]]): UrlSigner {
  return {
    sign: (terms) => (isAmbiguous(terms) ? null : digest(keys[0], terms).toString('hex')),
    accepts(terms, signature) {
      if (!/^[0-9a-f]{64}$/.test(signature) || isAmbiguous(terms)) return false
      const given = Buffer.from(signature, 'hex')
      return keys.some((key) => timingSafeEqual(digest(key, terms), given))
    },
  }
}

function digest(key: string, { paths, methods, project, expires }: SignedTerms): Buffer {
  const parts = [sorted(paths).join(','), sorted(methods).join(','), project ?? 'None', expires]
  return createHmac('sha256', key).update(parts.join(SEPARATOR)).digest()
}

/**
 * Nothing escapes separators, so a part that holds one could move into the part beside it: a method `,/v2/queues\nGET`
 * would become a path.
 */
function isAmbiguous({ paths, methods, project }: SignedTerms): boolean {
  return (
    paths.some((path) => path.includes(',') || path.includes(SEPARATOR)) ||
    !methods.every(isMethod) ||
    project?.includes(SEPARATOR) === true
  )
}

/** Whether a request could have this method: a token, hence without commas and backslashes. (RFC 9110 5.6.2) */
export function isMethod(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text)
}

/** By code point, which JavaScript's order by code unit is not. */
export function sorted(texts: readonly string[]): string[] {
  return [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

/**
 * Whether the scope covers the method, exactly as written, and the path, by whole segments. `path` is decoded and has
 * no query.
 */
export function signatureCovers({ methods, paths }: SignedScope, method: string, path: string): boolean {
  return methods.includes(method) && paths.some((signed) => path === signed || path.startsWith(`${signed}/`))
}
