/** A request that a wire itself refuses: it could not be read as what its route wants. (contract http.md 1.9) */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly status: number
  readonly title: string
  /** Undefined: the error body has only a title. */
  readonly description: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, title: string, description?: string, headers: Readonly<Record<string, string>> = {}) {
    super(description ?? title)
    this.status = status
    this.title = title
    this.description = description
    this.headers = headers
  }
}

export function clientIdMissing(): WireError {
  return new WireError(400, 'Missing header value', 'The "Client-ID" header is required.')
}

export function invalidBody(description: string): WireError {
  return new WireError(400, 'Invalid request body', description)
}

export function invalidRequest(description: string): WireError {
  return new WireError(400, 'Invalid API request', description)
}
