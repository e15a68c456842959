/** Reads what a command line gives. All of these are parsers for commander. */
import { InvalidArgumentError } from 'commander'
import { parseExactly } from './exact-json.ts'

/** JSON where it is, else text: of `5` and `{"a": 1}` what they say, of `hello` the text. */
export function jsonOrText(text: string): unknown {
  try {
    return parseExactly(text)
  } catch (error) {
    if (!/^\s*[[{"]/.test(text)) return text
    throw new InvalidArgumentError(`It begins as JSON, but is none: ${(error as Error).message}`)
  }
}

/** `KEY=VALUE`, where a value is JSON or else text. */
export function pairOf(text: string): [key: string, value: unknown] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be KEY=VALUE.')
  return [text.slice(0, at), jsonOrText(text.slice(at + 1))]
}

export function objectOf(text: string): Record<string, unknown> {
  const value = jsonOrText(text)
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
  if (isObject) return value as Record<string, unknown>
  throw new InvalidArgumentError('It must be a JSON object, such as {"team": "billing"}.')
}

/** A whole number. */
export function countFrom(least: number): (text: string) => number {
  return (text) => {
    const count = Number(text)
    if (/^\d+$/.test(text) && count >= least && Number.isSafeInteger(count)) return count
    throw new InvalidArgumentError(`It must be a whole number from ${least} on.`)
  }
}

/** For what may be given several times. */
export function collected<T>(parse: (text: string) => T): (text: string, earlier?: readonly T[]) => T[] {
  return (text, earlier = []) => [...earlier, parse(text)]
}

export function textOf(text: string): string {
  return text
}

/** An address, as it was written. */
export function urlOf(text: string): string {
  if (URL.parse(text) !== null && /^(http|ws)s?:\/\//.test(text)) return text
  throw new InvalidArgumentError('It must begin with http://, https://, ws:// or wss://.')
}
