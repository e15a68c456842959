/** Headers by which a receiver knows who sent a webhook and that nobody changed it. (standardwebhooks.com, 1.0) */
import { createHmac } from 'node:crypto'

export interface Signed {
  /** The same for each try of a message: receivers tell repeats by it. Without a full stop. */
  readonly id: string
  /** When it is sent, in seconds since the Unix epoch. Receivers refuse what is minutes old. */
  readonly timestamp: number
  /** As it is sent. */
  readonly body: string
  /** Keys in Base64; a receiver that knows one of them accepts. */
  readonly secrets: readonly string[]
}

/** The headers of a signed webhook; without keys there are none. */
export function signatureHeaders({ id, timestamp, body, secrets }: Signed): Record<string, string> {
  if (secrets.length === 0) return {}
  const content = `${id}.${timestamp}.${body}`
  const signatureBy = (key: string) =>
    `v1,${createHmac('sha256', Buffer.from(key, 'base64')).update(content).digest('base64')}`
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': secrets.map(signatureBy).join(' '),
  }
}
