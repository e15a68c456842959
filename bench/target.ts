/** A server that speaks Zaqar's API v2. Plain data, since it travels between processes. */
export interface Target {
  readonly host: string
  readonly port: number
  /** What stands before `/v2` in every path. */
  readonly pathPrefix: string
  /** Sent with every request, such as `X-Auth-Token: ...`. */
  readonly headers: readonly string[]
  /** The process whose CPU time and memory are read; null when it is out of sight. */
  readonly pid: number | null
}

export const PROJECT = 'bench'
export const CLIENT_ID = '3381af92-2b9e-11e3-b191-71861300734c'

/** The bytes of one request, made once and sent many times. */
export function requestBytes(target: Target, method: string, path: string, body?: unknown): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body)
  const lines = [
    `${method} ${target.pathPrefix}${path} HTTP/1.1`,
    `Host: ${target.host}:${target.port}`,
    `Client-ID: ${CLIENT_ID}`,
    `X-Project-Id: ${PROJECT}`,
    'Accept: application/json',
    ...target.headers,
  ]
  if (text !== '') lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`)
}
