/** What all ways to a receiver have in common. */

/** How one try to reach a receiver went: what came back, if anything. */
export interface Answer {
  /** 'gone': the receiver says that it will never want any more (status 410). */
  readonly result: 'delivered' | 'failed' | 'gone'
  /** Of the answer; null where none came, or the way has none. */
  readonly status: number | null
  /** Why it was not delivered, in a short sentence without addresses of ours; null where it was. */
  readonly reason: string | null
  /** The first bytes of the answer, as text; null where none came. */
  readonly answer: string | null
  /** The receiver wants to be left alone for so long (`Retry-After`); null where it does not say. */
  readonly retryAfterSeconds: number | null
}

/** Of a try that failed without a status. `answer`: what was said all the same. */
export function failure(reason: string, answer: string | null = null): Answer {
  return { result: 'failed', status: null, reason, answer, retryAfterSeconds: null }
}

/** A request to a webhook. */
export interface WebhookRequest {
  /** `http:` or `https:`. */
  readonly url: string
  /** Names as they go over the wire. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A mail. Nothing in it was checked for line breaks. */
export interface Mail {
  readonly from: string
  readonly to: string
  readonly cc: string | null
  readonly bcc: string | null
  readonly subject: string
  readonly text: string
}

/** A way to receivers. `send` answers what happened and throws only where we have a bug; the signal ends it early. */
export interface Channel<Parcel> {
  send(parcel: Parcel, signal: AbortSignal): Promise<Answer>
  /** Ends the connections that are left. */
  close(): Promise<void>
}
