/** Asks subscribers to confirm, or to come back: what they are sent is made when it is sent. */
import { type Announcement, readAnnouncement } from '../core/rules/announcement.ts'
import { CONFIRMATION_PAGE, confirmationPath } from '../core/rules/confirmation-paths.ts'
import { formatIsoTime } from '../core/rules/iso-time.ts'
import type { PublicEndpoints } from '../core/rules/public-endpoints.ts'
import type { UrlSigner } from '../core/rules/signature.ts'
import { asciiJson } from '../model/ascii-json.ts'
import { printJson } from '../model/json.ts'
import type { Instant, QueueKey, Subscription } from '../model/model.ts'

/** The signed PUT by which a subscriber confirms, and takes that back. */
export interface Confirmation {
  readonly type: Announcement['type']
  readonly queue: QueueKey
  readonly path: string
  /** UTC in whole seconds without a zone. */
  readonly expires: string
  /** Lower-case hexadecimal. */
  readonly signature: string
  /** Where the request goes; null where no public address is known. */
  readonly url: string | null
  readonly webSocketUrl: string | null
}

export interface ConfirmationParts {
  /** Of the announcement that the subscription is owed. */
  readonly text: string
  readonly queue: QueueKey
  readonly subscription: Subscription
  readonly signer: UrlSigner
  readonly endpoints: PublicEndpoints
  readonly now: Instant
}

/**
 * What the announcement asks for. Null where nothing is to be sent: nobody could answer it any more, it was for another
 * subscriber, or nothing can be signed for this project.
 */
export function confirmationOf(parts: ConfirmationParts): Confirmation | null {
  const { type, subscriber, expiresAt } = readAnnouncement(parts.text)
  const { queue, subscription, signer, endpoints, now } = parts
  const expires = formatIsoTime(expiresAt)
  if (expires <= formatIsoTime(now) || subscriber !== subscription.subscriber) return null
  const path = confirmationPath(queue, subscription.id)
  const signature = signer.sign({ paths: [path], methods: ['PUT'], project: queue.project, expires })
  if (signature === null) return null
  const at = (endpoint: string | null) => endpoint && `${endpoint}${path}`
  return { type, queue, path, expires, signature, url: at(endpoints.http), webSocketUrl: at(endpoints.webSocket) }
}

/** What a webhook gets: JSON in ASCII. (contract notifications.md 5) */
export function confirmationDocument(confirmation: Confirmation): string {
  const { type, queue, path, expires, signature, url, webSocketUrl } = confirmation
  const document = printJson({
    ...(url !== null && { WSGISubscribeURL: url }),
    ...(webSocketUrl !== null && { WebSocketSubscribeURL: webSocketUrl }),
    Message_Type: type,
    Message: messageOf(type, queue),
    'URL-Signature': signature,
    'URL-Methods': 'PUT',
    'URL-Paths': path,
    'X-Project-ID': queue.project,
    'URL-Expires': expires,
    SubscribeBody: { confirmed: true },
    UnsubscribeBody: { confirmed: false },
    queue_name: queue.name,
  })
  return asciiJson(document)
}

function messageOf(type: Announcement['type'], { kind, name }: QueueKey): string {
  return type === 'SubscriptionConfirmation'
    ? `You have chosen to subscribe to the ${kind}: ${name}`
    : `You have unsubscribed successfully to the ${kind}: ${name}, you can resubscribe it by using confirmed=True.`
}

/**
 * The link to our own page, which sends the request. `endpoint`: the public address of the service. The values stand in
 * the fragment, which browsers keep to themselves: whoever reads an access log cannot confirm.
 */
export function confirmationPageLink(confirmation: Confirmation, endpoint: string): string {
  const values = { ...linkValues(confirmation), Type: confirmation.type }
  return `${endpoint}${CONFIRMATION_PAGE}#${new URLSearchParams(values)}`
}

/** What a link says of the signed request, in upstream's order. (contract notifications.md 6) */
export function linkValues({ signature, path, queue, expires }: Confirmation): Record<string, string> {
  return { Signature: signature, Methods: 'PUT', Paths: path, Project: queue.project, Expires: expires }
}
