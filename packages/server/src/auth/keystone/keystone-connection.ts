import type { Agent } from 'undici'
import type { KeystoneSettings } from './keystone-settings.ts'

/** Keystone gave no answer that could be used. Asking again later may help. */
export class KeystoneUnavailable extends Error {
  override readonly name: string = 'KeystoneUnavailable'
}

/** An answer of some kilobytes, even with many roles or endpoints. */
const MAX_ANSWER_BYTES = 1_048_576
/** What more requests at one time would only queue up in Keystone. */
export const CONNECTIONS = 32

interface KeystoneRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below the address of API v3. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Is sent as JSON. */
  readonly body?: object
  /** False: it is not repeated when no answer comes, since it may have done its work. */
  readonly mayRepeat?: boolean
}

interface KeystoneAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** A Keystone at one address. */
export interface KeystoneConnection {
  /** @throws KeystoneUnavailable when no answer comes */
  send(request: KeystoneRequest): Promise<KeystoneAnswer>
  close(): Promise<void>
}

export function connectToKeystone(settings: KeystoneSettings): KeystoneConnection {
  const { authUrl, ca, cert, key, insecure, retries, timeoutSeconds } = settings
  const timeout = timeoutSeconds * 1000
  const agentOptions: Agent.Options = {
    connections: CONNECTIONS,
    connect: { timeout, rejectUnauthorized: !insecure, ...given({ ca, cert, key }) },
    headersTimeout: timeout,
    bodyTimeout: timeout,
    maxResponseSize: MAX_ANSWER_BYTES,
  }
  // Loaded with the first request: a service starts sooner.
  let opened: Promise<{ agent: Agent; request: typeof import('undici').request }> | null = null
  const open = async () => {
    const { Agent, request } = await import('undici')
    return { agent: new Agent(agentOptions), request }
  }
  const base = versionedUrl(authUrl)

  return {
    async send({ method, path, headers, body, mayRepeat = true }) {
      opened ??= open()
      const { agent, request } = await opened
      const options = {
        method,
        headers: body === undefined ? { ...headers } : { 'content-type': 'application/json', ...headers },
        body: body === undefined ? null : JSON.stringify(body),
        dispatcher: agent,
      }
      for (let left = mayRepeat ? retries : 0; ; left--) {
        try {
          const answer = await request(`${base}${path}`, options)
          return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
        } catch (cause) {
          if (left <= 0 || isTimeout(cause))
            throw new KeystoneUnavailable(`Keystone at ${authUrl} does not answer`, { cause })
        }
      }
    },

    // Whoever still waits for an answer is told that there is none.
    async close() {
      opened ??= open()
      const { agent } = await opened
      await agent.destroy()
    },
  }
}

/** The address of API v3, whether it was given with a version, an older one, or none. */
function versionedUrl(url: string): string {
  let end = url.length
  while (url[end - 1] === '/') end--
  return `${url.slice(0, end).replace(/\/v[23](\.\d+)?$/, '')}/v3`
}

/** Whoever has waited that long does not wait again. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^UND_ERR_.*_TIMEOUT$/.test(String(error.code))
}

function given(values: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
}

/** Keystone's error documents name no secrets; other servers at that address may answer anything. */
export function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
