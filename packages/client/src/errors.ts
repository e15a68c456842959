/** What can go wrong, in a word for programs. */
export type ErrorCode =
  | 'bad_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'unavailable'
  | 'server_error'
  | 'unexpected_answer'
  | 'unreachable'
  | 'timeout'
  | 'claim_lost'

interface Details {
  /** Of the answer; 0 where there was none. */
  readonly status?: number
  readonly title?: string
  readonly description?: string
  readonly requestId?: string | null
  readonly retryAfterSeconds?: number | null
  readonly cause?: unknown
}

/** Everything that the client throws, but for what an `AbortSignal` was aborted with. */
export class ZaqarError extends Error {
  override readonly name: string = 'ZaqarError'
  readonly code: ErrorCode
  /** HTTP status of the answer; 0 where there was none. */
  readonly status: number
  /** As the service says it: a short text that does not change. */
  readonly title: string
  /** As the service says it, for people. */
  readonly description: string
  /** Names the request in the log of the service; null where it was not answered. */
  readonly requestId: string | null
  /** When the service wants to be asked again, in seconds; null where it does not say. */
  readonly retryAfterSeconds: number | null

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.status = details.status ?? 0
    this.title = details.title ?? ''
    this.description = details.description ?? ''
    this.requestId = details.requestId ?? null
    this.retryAfterSeconds = details.retryAfterSeconds ?? null
  }

  /** Whether asking again would bring the same: what is asked is wrong, or not allowed. */
  get isFinal(): boolean {
    return ['bad_request', 'unauthenticated', 'forbidden'].includes(this.code)
  }
}

/** 400, and what else of 4xx has no class of its own: the request is wrong. */
export class BadRequest extends ZaqarError {
  override readonly name = 'BadRequest'
}
/** 401: no credentials, or none that are accepted. */
export class Unauthenticated extends ZaqarError {
  override readonly name = 'Unauthenticated'
}
/** 403: not allowed to whoever asks, or a quota. */
export class Forbidden extends ZaqarError {
  override readonly name = 'Forbidden'
}
export class NotFound extends ZaqarError {
  override readonly name = 'NotFound'
}
export class Conflict extends ZaqarError {
  override readonly name = 'Conflict'
}
/** 503 or 429: the service cannot answer now. Asking again may help. */
export class Unavailable extends ZaqarError {
  override readonly name = 'Unavailable'
}
/** There was no answer: the network failed, or the service is not there. */
export class Unreachable extends ZaqarError {
  override readonly name = 'Unreachable'
}
/** There was no answer in time. */
export class Timeout extends ZaqarError {
  override readonly name = 'Timeout'
}

/** A claim ended before its message was done with: somebody else may get it. */
export class ClaimLost extends ZaqarError {
  override readonly name = 'ClaimLost'
}

const KINDS = {
  400: [BadRequest, 'bad_request'],
  401: [Unauthenticated, 'unauthenticated'],
  403: [Forbidden, 'forbidden'],
  404: [NotFound, 'not_found'],
  409: [Conflict, 'conflict'],
  429: [Unavailable, 'unavailable'],
  503: [Unavailable, 'unavailable'],
} as const satisfies Record<number, readonly [typeof ZaqarError, ErrorCode]>

const SERVER_ERROR = [ZaqarError, 'server_error'] as const

/** The error that an answer stands for. `body`: its text, JSON as a rule. */
export function errorOf(status: number, body: string, details: Pick<Details, 'requestId' | 'retryAfterSeconds'>) {
  const { title, description } = readError(body)
  const [Kind, code] = KINDS[status as keyof typeof KINDS] ?? (status < 500 ? KINDS[400] : SERVER_ERROR)
  const message = [title || `The service answered ${status}`, description].filter((text) => text !== '').join(': ')
  return new Kind(code, message, { status, title, description, ...details })
}

/** Zaqar's own form, and that of Keystone's middleware. */
function readError(body: string): { title: string; description: string } {
  try {
    const { error, title = error?.title, description = error?.message } = JSON.parse(body)
    return { title: String(title ?? ''), description: String(description ?? '') }
  } catch {
    return { title: '', description: '' }
  }
}
