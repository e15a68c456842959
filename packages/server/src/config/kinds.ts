/**
 * The kinds of values that options have. A kind reads the text of a file, a variable or a flag, and says in words what
 * may stand there; the types of the configuration follow from it.
 */
import { isIP } from 'node:net'
import { Secret } from './secret.ts'

export interface Kind<T> {
  /** What may be written, fit for "allowed is ...". */
  readonly allowed: string
  parse(text: string): Parsed<T>
  /** How a text is shown, where it may hold a password. */
  show?(text: string): string
}

/** `refused` ends the sentence about a text that does not fit. */
type Parsed<T> = { readonly value: T } | { readonly refused: string }

/** The spellings are those of oslo.config. */
export const bool: Kind<boolean> = {
  allowed: 'true or false (also 1, on, yes and 0, off, no)',
  parse(text) {
    const word = text.toLowerCase()
    if (['true', '1', 'on', 'yes'].includes(word)) return { value: true }
    if (['false', '0', 'off', 'no'].includes(word)) return { value: false }
    return { refused: `allowed is ${bool.allowed}` }
  },
}

export function int({ min, max, unit }: { min: number; max: number; unit?: 'seconds' | 'bytes' }): Kind<number> {
  const allowed = `a whole number ${unit === undefined ? '' : `of ${unit} `}from ${min} to ${max}`
  return {
    allowed,
    parse(text) {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? { value } : { refused: `allowed is ${allowed}` }
    },
  }
}

/** 0 lets the system choose a free port. */
export const port = int({ min: 0, max: 65535 })

export const text: Kind<string> = { allowed: 'a text', parse: (value) => ({ value }) }

export function choice<const Values extends readonly string[]>(...values: Values): Kind<Values[number]> {
  const allowed = values.map((value) => (value === '' ? 'nothing' : value)).join(' or ')
  return {
    allowed,
    parse: (value) => (values.includes(value) ? { value } : { refused: `allowed is ${allowed}` }),
  }
}

export const list: Kind<readonly string[]> = {
  allowed: 'a list of texts with commas between them',
  parse: (value) => ({
    value: value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  }),
}

export const lines: Kind<readonly string[]> = {
  allowed: 'a text in each line',
  parse: (value) => ({ value: linesOf(value) }),
}

export const secretLines: Kind<readonly Secret[]> = {
  allowed: 'a secret text in each line',
  parse: (value) => ({ value: linesOf(value).map((line) => new Secret(line)) }),
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

export function listOf<const Values extends readonly string[]>(...values: Values): Kind<readonly Values[number][]> {
  const allowed = `a list of ${values.join(' and ')}, or nothing`
  return {
    allowed,
    parse(text) {
      const parsed = list.parse(text)
      const fits = 'value' in parsed && parsed.value.every((item) => values.includes(item))
      return fits ? { value: parsed.value } : { refused: `allowed is ${allowed}` }
    },
  }
}

export const secret: Kind<Secret> = {
  allowed: 'a secret text',
  parse: (value) => ({ value: new Secret(value) }),
}

export const address: Kind<string> = {
  allowed: 'an IP address or a host name',
  parse(value) {
    const isHostName = value.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value)
    // All digits and dots would be a mistyped IPv4 address, never a host name.
    const isMistyped = /^[\d.]+$/.test(value)
    return isIP(value) !== 0 || (isHostName && !isMistyped) ? { value } : { refused: `allowed is ${address.allowed}` }
  },
}

/** A queue is named by its project, which may have slashes, and its name, which has none. */
export const queueNames: Kind<readonly { readonly project: string; readonly queue: string }[]> = {
  allowed: 'a list of PROJECT/QUEUE, at most 100',
  parse(text) {
    const parsed = list.parse(text)
    const names = 'value' in parsed ? parsed.value : []
    const fits = names.length <= MOST_NAMED && names.every((name) => /[^/]\/[^/]+$/.test(name))
    if (!fits) return { refused: `allowed is ${queueNames.allowed}` }
    return {
      value: names.map((name) => {
        const slash = name.lastIndexOf('/')
        return { project: name.slice(0, slash), queue: name.slice(slash + 1) }
      }),
    }
  },
}

const MOST_NAMED = 100

/** In lower case. `*` stands for any. */
export const hostNames: Kind<readonly string[]> = {
  allowed: 'a list of host names without ports, or *',
  parse(text) {
    const parsed = list.parse(text.toLowerCase())
    const fits = 'value' in parsed && parsed.value.every((name) => name === '*' || 'value' in address.parse(name))
    return fits ? parsed : { refused: `allowed is ${hostNames.allowed}` }
  },
}

/** `schemes`: how it may begin, such as `https`. */
export function url(...schemes: readonly string[]): Kind<string> {
  const allowed = `an address that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`
  return {
    allowed,
    parse(value) {
      const { protocol = '', host = '' } = URL.parse(value) ?? {}
      return schemes.includes(protocol.slice(0, -1)) && host !== '' ? { value } : { refused: `allowed is ${allowed}` }
    },
  }
}

export const path: Kind<string> = {
  allowed: 'a path; a relative one starts where the service is started',
  parse: (value) => (value === '' || value.includes('\0') ? { refused: `allowed is ${path.allowed}` } : { value }),
}
