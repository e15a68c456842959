import type { LookupFunction } from 'node:net'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { Agent, Dispatcher, Pool } from 'undici'
import { basicAuthorization } from './basic-authorization.ts'

export interface RouteOptions {
  readonly connectSeconds: number
  /** From the end of the request to the end of the headers of the answer. */
  readonly headersSeconds: number
  /** The most connections to one scheme, host and port. */
  readonly connectionsPerHost: number
  /** PEM: authorities that are trusted beside the well-known ones; null: none. */
  readonly ca: string | null
  /** PEM: shown to receivers that ask for a certificate; null: none. */
  readonly cert: string | null
  /** PEM, of `cert`. */
  readonly key: string | null
  /** The proxy (`http:` or `https:`) that all requests go through; null: none. A name and password in it are for the proxy. */
  readonly proxyUrl: string | null
}

/** Connections to receivers, direct or through a proxy. */
export interface Route {
  /** The parts of a request that lead it to the URL, and who sends it. */
  to(url: URL): Promise<{ readonly dispatcher: Dispatcher; readonly place: Place }>
  /** Ends all connections and what is under way on them. */
  close(): Promise<void>
}

interface Place {
  readonly origin: string
  readonly path: string
  /** To go before the headers of the request. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the certificate; null: the host of the URL. */
  readonly servername: string | null
}

/** An idle connection is closed after this; where the receiver says how long it waits itself, a little before that. */
const IDLE_MS = 4_000
const LONGEST_IDLE_MS = 30_000

/** @param lookup resolves the names of receivers; a proxy resolves them by itself, and its own name by the system's means */
export function openRoute(options: RouteOptions, lookup: LookupFunction): Route {
  const tls = { secureContext: secureContextOf(options), allowH2: false }
  const common = {
    connections: options.connectionsPerHost,
    connectTimeout: options.connectSeconds * 1000,
    headersTimeout: options.headersSeconds * 1000,
    // The whole try is bounded by its signal.
    bodyTimeout: 0,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: LONGEST_IDLE_MS,
    allowH2: false,
  }
  const { proxyUrl } = options
  const open = (undici: Undici) =>
    proxyUrl === null
      ? direct(undici, { ...common, connect: { ...tls, lookup } })
      : throughProxy(undici, new URL(proxyUrl), common, tls)
  let opened: Promise<OpenRoute> | null = null
  return {
    async to(url) {
      // Loaded with the first request: a service starts sooner.
      opened ??= import('undici').then(open)
      return (await opened).to(url)
    },
    async close() {
      await (await opened)?.close()
    },
  }
}

type Undici = typeof import('undici')

interface OpenRoute extends Pick<Route, 'close'> {
  to(url: URL): { readonly dispatcher: Dispatcher; readonly place: Place }
}

function direct({ Agent }: Undici, options: Agent.Options): OpenRoute {
  const agent = new Agent(options)
  return {
    to: (url) => ({ dispatcher: agent, place: placeOf(url) }),
    close: () => agent.destroy(),
  }
}

/**
 * `https:` goes through tunnels. `http:` is handed to the proxy itself, over one pool: ProxyAgent would keep a pool for
 * each host for ever.
 */
function throughProxy(
  { Pool, ProxyAgent }: Undici,
  proxy: URL,
  common: Pool.Options,
  tls: { readonly secureContext: SecureContext },
): OpenRoute {
  const authorization = basicAuthorization(proxy)
  const tunnels = new ProxyAgent({
    ...common,
    uri: proxy.origin,
    ...(authorization === null ? {} : { token: authorization }),
    requestTls: tls,
    proxyTls: tls,
    clientFactory: (origin, given) => new Pool(origin, { ...common, ...given, connections: null }),
  })
  const forwards = new Pool(proxy.origin, { ...common, connections: null, connect: tls })
  return {
    to(url) {
      const place = placeOf(url)
      if (url.protocol === 'https:') return { dispatcher: tunnels, place }
      const headers = { Host: url.host, ...(authorization === null ? {} : { 'Proxy-Authorization': authorization }) }
      // Otherwise the certificate of the proxy would have to be for the name in `Host`.
      const servername = proxy.protocol === 'https:' ? proxy.hostname : null
      const path = `${url.origin}${place.path}`
      return { dispatcher: forwards, place: { origin: proxy.origin, path, headers, servername } }
    },
    async close() {
      await Promise.all([tunnels.destroy(), forwards.destroy()])
    },
  }
}

function placeOf(url: URL): Place {
  return { origin: url.origin, path: `${url.pathname}${url.search}`, headers: {}, servername: null }
}

function secureContextOf({ ca, cert, key }: RouteOptions): SecureContext {
  return createSecureContext({
    ...(ca === null ? {} : { ca: [...getCACertificates('default'), ca] }),
    ...(cert === null || key === null ? {} : { cert, key }),
  })
}
