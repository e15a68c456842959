import { ZaqarError } from '../errors.ts'
import type { Limits } from './limits.ts'

/** In lower case; empty when the text has none. */
export function schemeOf(subscriber: string): string {
  return /^([a-z][a-z0-9+.-]*):/i.exec(subscriber)?.[1]?.toLowerCase() ?? ''
}

/** The subscriber of a subscription whose messages go to a connection. Nobody can ask for it by name. */
const CONNECTION_SCHEME = 'websocket'

export function subscriberOf({ id }: { readonly id: string }): string {
  return `${CONNECTION_SCHEME}:${id}`
}

export function isConnection(subscriber: string): boolean {
  return schemeOf(subscriber) === CONNECTION_SCHEME
}

/**
 * Whom a subscription may tell: what stands behind the scheme of the URI is looked at when something is sent.
 * (contract http.md 3.9.2, notifications.md 2)
 * @throws ZaqarError
 */
export function checkSubscriber(subscriber: string, { subscriberTypes }: Limits): void {
  const scheme = schemeOf(subscriber)
  if (!subscriberTypes.includes(scheme) || scheme === CONNECTION_SCHEME) {
    throw new ZaqarError('subscriber.not_supported', { types: subscriberTypes.join(', ') })
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u0020\u007f]/.test(subscriber) || !subscriber.isWellFormed()) {
    throw new ZaqarError('subscriber.malformed')
  }
}
