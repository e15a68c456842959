import { isIP } from 'node:net'
import type { Clock, StartTimeLimit } from '../../platform/clock.ts'
import type { Answer, Channel, WebhookRequest } from '../channel.ts'
import { createJudge, type GuardOptions } from '../guard/judge.ts'
import { createGuardedLookup, type Resolve } from '../guard/lookup.ts'
import { exchange, type Reply } from './exchange.ts'
import { retryAfterSeconds } from './retry-after.ts'
import { openRoute, type RouteOptions } from './route.ts'
import { EndedEarly, failureReason, refusal } from './webhook-failure.ts'
import { webhookHeaders, withoutContent } from './webhook-headers.ts'

export interface WebhookOptions extends RouteOptions, GuardOptions {
  /** The most that one try takes, with all its redirects. */
  readonly requestSeconds: number
}

export interface WebhookParts {
  readonly options: WebhookOptions
  /** Of this software, for `User-Agent`. */
  readonly version: string
  readonly clock: Pick<Clock, 'now'>
  /** Calls back after so many milliseconds of real time. */
  readonly startTimeLimit: StartTimeLimit
  /** Names of receivers; not asked where there is a proxy. */
  readonly resolve: Resolve
}

const MOST_REDIRECTS = 3
const REDIRECTS = [301, 302, 303, 307, 308]
const KEEP_METHOD = [307, 308]
const BUSY = [429, 503]
const GONE = 410

/** One request of a try: the first, or the next after a redirect. */
interface Hop {
  readonly url: URL
  readonly method: 'POST' | 'GET'
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
}

/**
 * The way to receivers at `http:` and `https:`: a POST over HTTP/1.1. 2xx is success, and redirects stay at the host.
 * Headers that belong to the connection are not taken from the request; one that cannot be sent fails the try.
 * (contract notifications.md 4)
 */
export function createWebhookChannel(parts: WebhookParts): Channel<WebhookRequest> {
  const { options, version, clock, startTimeLimit, resolve } = parts
  const judge = createJudge(options)
  const route = openRoute(options, createGuardedLookup(judge, resolve))
  const userAgent = `zaqar/${version}`

  const answerOf = async (first: Hop, signal: AbortSignal): Promise<Answer> => {
    for (let hop = first, redirects = 0; ; redirects++) {
      // Sockets look up names only. The URL has literal addresses in one spelling, whatever the subscriber's was.
      const literal = hop.url.hostname.replace(/^\[|\]$/g, '')
      const objection = isIP(literal) === 0 ? null : judge(literal)
      if (objection !== null) return failed(refusal(objection))
      const { dispatcher, place } = await route.to(hop.url)
      const { method, body } = hop
      const request = { ...place, method, body, headers: { ...place.headers, ...hop.headers } }
      const reply = await exchange(dispatcher, request, signal)
      if (!REDIRECTS.includes(reply.status)) return judged(reply, clock)
      if (redirects === MOST_REDIRECTS) return failed('the receiver redirects too often', reply)
      const next = redirected(hop, reply)
      if (typeof next === 'string') return failed(next, reply)
      hop = next
    }
  }

  return {
    async send(request, signal) {
      const first = firstHop(request, userAgent)
      if (typeof first === 'string') return failed(first)
      const early = new AbortController()
      const end = (reason: string) => early.abort(new EndedEarly(reason))
      const interrupt = () => end('the try was interrupted')
      if (signal.aborted) interrupt()
      signal.addEventListener('abort', interrupt)
      const limit = startTimeLimit(options.requestSeconds * 1000, () => end('the receiver takes too long'))
      try {
        return await answerOf(first, early.signal)
      } catch (error) {
        return failed(failureReason(error))
      } finally {
        limit.cancel()
        signal.removeEventListener('abort', interrupt)
      }
    },

    close: () => route.close(),
  }
}

/** Or why there cannot be one. */
function firstHop({ url: text, headers: given, body }: WebhookRequest, userAgent: string): Hop | string {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return 'the subscriber is not an address on the web'
  const made = webhookHeaders(given, { url, userAgent })
  if ('unsendable' in made) return `the header ${JSON.stringify(made.unsendable.slice(0, 100))} cannot be sent`
  return { url, method: 'POST', headers: made.headers, body: Buffer.from(body) }
}

/** Or why the redirect is not followed. */
function redirected({ url, method, headers, body }: Hop, reply: Reply): Hop | string {
  const location = reply.header('location')
  const target = location === null ? null : URL.parse(location, url)
  if (target === null) return 'the receiver redirects to nowhere'
  if (!isSamePlace(url, target)) return 'the receiver redirects to another host'
  if (KEEP_METHOD.includes(reply.status)) return { url: target, method, headers, body }
  return { url: target, method: 'GET', headers: withoutContent(headers), body: null }
}

/** The same host and port; TLS may begin where both ports are the usual ones. */
function isSamePlace(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true
  const isUpgrade = from.protocol === 'http:' && to.protocol === 'https:'
  return isUpgrade && from.hostname === to.hostname && from.port === '' && to.port === ''
}

function judged(reply: Reply, clock: Pick<Clock, 'now'>): Answer {
  const { status, text } = reply
  if (status >= 200 && status < 300) {
    return { result: 'delivered', status, reason: null, answer: text, retryAfterSeconds: null }
  }
  const answer = failed(`the receiver answered ${status}`, reply)
  if (status === GONE) return { ...answer, result: 'gone' }
  if (!BUSY.includes(status)) return answer
  return { ...answer, retryAfterSeconds: retryAfterSeconds(reply.header('retry-after'), clock.now()) }
}

function failed(reason: string, reply: Reply | null = null): Answer {
  return {
    result: 'failed',
    status: reply?.status ?? null,
    reason,
    answer: reply?.text ?? null,
    retryAfterSeconds: null,
  }
}
