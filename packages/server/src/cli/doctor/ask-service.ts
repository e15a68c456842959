import { connect } from 'node:net'
import { Agent, request } from 'undici'
import type { Config } from '../../config/options.ts'

/** For a connection, and for an answer, in milliseconds. */
const TIME_LIMIT_MS = 5_000
/** Metrics of many workers are some hundred kilobytes. */
const MAX_ANSWER_BYTES = 8 << 20

/**
 * Who is at the address of the service: nobody, another program, one that takes connections but that we cannot ask, as it
 * wants to see the certificate of a client, or this service.
 */
export type ServiceAnswers =
  | { readonly who: 'nobody' | 'stranger' | 'unasked' }
  | {
      readonly who: 'service'
      /** What `/readyz` objects; null: it is ready. */
      readonly objection: string | null
      /** Null where they may not be read: they need an admin port or a scrape token. */
      readonly metrics: ServiceMetrics | null
    }

export interface ServiceMetrics {
  /** Of the software. */
  readonly version: string | null
  /** Of Node. */
  readonly node: string | null
  /** The most files and sockets that a process of it may have open; that of the one with the least. */
  readonly mostFiles: number | null
}

/** Where a listener is. */
export interface Place {
  readonly bind: string
  readonly port: number
}

/** Does not reject. */
export async function askService(config: Config): Promise<ServiceAnswers> {
  const { http, tls } = config
  if (http.port === 0 || !(await takesConnections(http))) return { who: 'nobody' }
  if (tls.caFile !== null) return { who: 'unasked' }
  const url = urlOf(config, http)
  if (!(await isService(url))) return { who: 'stranger' }
  const [ready, metrics] = await Promise.all([get(`${url}/readyz`), metricsOf(config)])
  const objection = ready === null ? 'it does not say within five seconds whether it is ready' : ready.text.trim()
  return { who: 'service', objection: ready?.status === 200 ? null : objection, metrics }
}

/** Whether anything listens there. */
export function takesConnections({ bind, port }: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: reachable(bind), port, timeout: TIME_LIMIT_MS })
    const end = (takes: boolean) => {
      socket.destroy()
      resolve(takes)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    socket.once('timeout', () => end(false))
  })
}

/** Whether the listener at that address is one of this service. */
export async function isService(url: string): Promise<boolean> {
  const answer = await get(`${url}/livez`)
  return answer?.status === 200 && answer.text === 'alive\n'
}

export function urlOf({ tls }: Pick<Config, 'tls'>, { bind, port }: Place): string {
  const host = reachable(bind)
  return `${tls.certFile === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** What listens at all addresses is reached at that of this machine. */
function reachable(bind: string): string {
  if (bind === '0.0.0.0') return '127.0.0.1'
  return bind === '::' ? '::1' : bind
}

async function metricsOf(config: Config): Promise<ServiceMetrics | null> {
  const { http, metrics } = config
  const token = metrics.scrapeToken?.reveal()
  const answer =
    http.adminPort === null
      ? await get(`${urlOf(config, http)}/metrics`, token ? { authorization: `Bearer ${token}` } : {})
      : await get(`${urlOf(config, { bind: http.adminBind, port: http.adminPort })}/metrics`)
  return answer?.status === 200 ? readMetrics(answer.text) : null
}

/** Of the text form of Prometheus. */
export function readMetrics(text: string): ServiceMetrics {
  const [, about = ''] = /^zaqar_build_info\{([^}\n]*)\} 1$/m.exec(text) ?? []
  const limits = [...text.matchAll(/^process_max_fds(?:\{[^}\n]*\})? (\d+)$/gm)].map(([, most]) => Number(most))
  return {
    version: /\bversion="([^"]*)"/.exec(about)?.[1] ?? null,
    node: /\bnode="([^"]*)"/.exec(about)?.[1] ?? null,
    mostFiles: limits.length === 0 ? null : Math.min(...limits),
  }
}

/** Null where no answer comes. */
async function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string } | null> {
  const dispatcher = new Agent({
    // It is asked by an address of this machine, which its certificate need not name.
    connect: { timeout: TIME_LIMIT_MS, rejectUnauthorized: false },
    headersTimeout: TIME_LIMIT_MS,
    bodyTimeout: TIME_LIMIT_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
  })
  try {
    const { statusCode, body } = await request(url, { headers, dispatcher })
    return { status: statusCode, text: await body.text() }
  } catch {
    return null
  } finally {
    await dispatcher.destroy()
  }
}
