import { basicAuthorization } from './basic-authorization.ts'

/** Matters of one connection and of how a request is laid out on it, which are ours. (RFC 9110 7.6.1) */
const OF_THE_CONNECTION = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * The headers of a request: those given, over our own. Those of the connection are left out. A name in several spellings
 * is sent once, the last one. A name and password in the URL become `Authorization`, whatever was given for that.
 * (contract notifications.md 4)
 * @returns the name that cannot be sent, where there is one
 */
export function webhookHeaders(
  given: Readonly<Record<string, string>>,
  { url, userAgent }: { readonly url: URL; readonly userAgent: string },
): { readonly headers: Record<string, string> } | { readonly unsendable: string } {
  const headers = new Map([
    ['user-agent', ['User-Agent', userAgent]],
    ['accept', ['Accept', '*/*']],
  ])
  for (const [name, value] of Object.entries(given)) {
    if (!NAME.test(name) || !VALUE.test(value)) return { unsendable: name }
    if (!OF_THE_CONNECTION.has(name.toLowerCase())) headers.set(name.toLowerCase(), [name, value])
  }
  const authorization = basicAuthorization(url)
  if (authorization !== null) headers.set('authorization', ['Authorization', authorization])
  return { headers: Object.fromEntries(headers.values()) }
}

/** What is left of the headers of a POST that goes on as a GET. */
export function withoutContent(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^content-/i.test(name)))
}
