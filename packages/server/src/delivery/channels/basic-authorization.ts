import { unescape as unquoted } from 'node:querystring'

/**
 * The name and password of a URL as the header that shows them, null where it has none: as python-requests makes it, in
 * Latin-1 as far as that goes.
 */
export function basicAuthorization({ username, password }: URL): string | null {
  if (username === '' && password === '') return null
  const pair = `${unquoted(username)}:${unquoted(password)}`
  const isLatin1 = [...pair].every((character) => character <= '\xff')
  return `Basic ${Buffer.from(pair, isLatin1 ? 'latin1' : 'utf8').toString('base64')}`
}
