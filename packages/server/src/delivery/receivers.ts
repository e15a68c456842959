import { createHash } from 'node:crypto'
import { type Announcement, readAnnouncement } from '../core/rules/announcement.ts'
import type { PublicEndpoints } from '../core/rules/public-endpoints.ts'
import type { UrlSigner } from '../core/rules/signature.ts'
import { schemeOf } from '../core/rules/subscriber.ts'
import { withoutTrust } from '../core/rules/trusted-subscriber.ts'
import { isTrustGoodFor, readVault } from '../core/rules/vault.ts'
import { Seldom } from '../core/seldom.ts'
import { TrustGone, type TrustTokens } from '../core/trusts.ts'
import type { NotifiedMessage } from '../model/model.ts'
import type { Clock, StartTimeLimit } from '../platform/clock.ts'
import { type Answer, type Channel, failure, type Mail, type WebhookRequest } from './channel.ts'
import { composeConfirmationMail, composeMail, confirmationLink, type MailTemplate } from './compose-mail.ts'
import { composeAnnouncement, composeWebhook } from './compose-webhook.ts'
import { type Confirmation, confirmationDocument, confirmationOf, confirmationPageLink } from './confirmation.ts'
import { messagesOf, type Parcel } from './deliver.ts'
import { signatureHeaders } from './standard-webhooks.ts'

export interface ReceiversParts {
  readonly webhook: Channel<WebhookRequest>
  readonly mail: Channel<Mail>
  /** From whom mails come whose subscription does not say. */
  readonly mailSender: string
  readonly templates: Readonly<Record<Announcement['type'], MailTemplate>>
  /** Null: there are no trusts. */
  readonly trustTokens: TrustTokens | null
  /** Null: nobody can be asked to confirm. */
  readonly signer: UrlSigner | null
  publicEndpoints(): Promise<PublicEndpoints>
  /** The page of the operator for links in mails; null: our own. */
  readonly confirmationPage: string | null
  /** Where the service listens: the last resort for a link in a mail. */
  readonly ownUrl: string
  readonly clock: Clock
  readonly startTimeLimit: StartTimeLimit
  /** Told of what the operator has to mend. */
  report(error: unknown): void
}

/** The longest that a try waits for what Keystone has to say. */
export const LOOK_UP_SECONDS = 10
/** The operator is told of a trouble of a kind once in this time, in milliseconds. */
const SILENCE_MS = 60_000
const UNAUTHORIZED = 401
/** Nothing was sent, and nothing had to be. */
const NEEDLESS: Answer = { result: 'delivered', status: null, reason: null, answer: null, retryAfterSeconds: null }

/** Whom the subscriber keeps busy, as far as its URI tells: host and port; all mails go to one server. */
export function hostOf(subscriber: string): string {
  const scheme = schemeOf(subscriber)
  return scheme === 'mailto' ? scheme : (URL.parse(withoutTrust(subscriber))?.host ?? '')
}

/** Brings parcels to receivers, each in the way that the subscriber's URI names. */
export class Receivers {
  readonly #parts: ReceiversParts
  readonly #seldom: Seldom

  constructor(parts: ReceiversParts) {
    this.#parts = parts
    this.#seldom = new Seldom(parts.clock, SILENCE_MS, parts.report)
  }

  async send(parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    const [first] = parcel.notifications
    if (first?.content.kind === 'announcement') return this.#announce(parcel, first.content.text, signal)
    return this.#tell(parcel, messagesOf(parcel.notifications), signal)
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.webhook.close(), this.#parts.mail.close()])
  }

  async #tell(parcel: Parcel, messages: readonly NotifiedMessage[], signal: AbortSignal): Promise<Answer> {
    const { subscription, options, queue } = parcel
    if (schemeOf(subscription.subscriber) === 'mailto') {
      const { subscriber } = subscription
      const { mailSender: sender } = this.#parts
      return this.#mail(composeMail({ subscriber, options, queue, messages, sender }), signal)
    }
    return this.#post(
      parcel,
      idOf(messages),
      (headers) => composeWebhook({ options, queue, messages, headers }),
      signal,
    )
  }

  async #announce(parcel: Parcel, text: string, signal: AbortSignal): Promise<Answer> {
    const { signer, publicEndpoints, clock } = this.#parts
    const { queue, subscription, options } = parcel
    if (signer === null) return failure('there is no key to sign a confirmation with')
    let endpoints: PublicEndpoints
    try {
      endpoints = await this.#lookUp(() => publicEndpoints(), signal)
    } catch (error) {
      this.#seldom.tell('public address', error)
      return failure('the public address of the service could not be learned')
    }
    const confirmation = confirmationOf({ text, queue, subscription, signer, endpoints, now: clock.now() })
    if (confirmation === null) return NEEDLESS
    if (schemeOf(subscription.subscriber) === 'mailto') {
      return this.#mail(this.#confirmationMail(parcel, confirmation, endpoints), signal)
    }
    const document = confirmationDocument(confirmation)
    const { type, expiresAt } = readAnnouncement(text)
    return this.#post(
      parcel,
      `${type}-${subscription.id}-${expiresAt}`,
      (headers) => composeAnnouncement({ options, document, headers }),
      signal,
    )
  }

  /** Asks Keystone, for no longer than a try may wait for it. */
  async #lookUp<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const limit = new AbortController()
    const timer = this.#parts.startTimeLimit(LOOK_UP_SECONDS * 1000, () => limit.abort())
    const both = AbortSignal.any([signal, limit.signal])
    try {
      return await Promise.race([
        ask(both),
        new Promise<never>((_, reject) => both.addEventListener('abort', () => reject(both.reason), { once: true })),
      ])
    } finally {
      timer.cancel()
    }
  }

  /** What keeps one mail from leaving mostly keeps all of them. */
  async #mail(mail: Mail, signal: AbortSignal): Promise<Answer> {
    const answer = await this.#parts.mail.send(mail, signal)
    if (answer.result === 'failed' && !signal.aborted) {
      const { reason, answer: said } = answer
      this.#seldom.tell('mail', new Error(`a mail was not sent: ${[reason, said].filter(Boolean).join('; ')}`))
    }
    return answer
  }

  #confirmationMail({ subscription, queue }: Parcel, confirmation: Confirmation, endpoints: PublicEndpoints): Mail {
    const { templates, confirmationPage, ownUrl } = this.#parts
    const link =
      confirmationPage === null
        ? confirmationPageLink(confirmation, endpoints.http ?? ownUrl)
        : confirmationLink(confirmationPage, confirmation)
    return composeConfirmationMail({
      template: templates[confirmation.type],
      subscriber: subscription.subscriber,
      queue: queue.name,
      project: queue.project,
      link,
    })
  }

  /** `id` names what is sent, and is the same when it is sent again. */
  async #post(
    { subscription }: Parcel,
    id: string,
    compose: (headers: Readonly<Record<string, string>>) => Pick<WebhookRequest, 'headers' | 'body'>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { webhook, clock, trustTokens } = this.#parts
    const { secrets, trust } = readVault(subscription.vault)
    const url = withoutTrust(subscription.subscriber)
    let own: Readonly<Record<string, string>> = {}
    if (url !== subscription.subscriber) {
      if (trustTokens === null || !isTrustGoodFor(trust, subscription)) {
        return failure('the subscription has no trust for its subscriber')
      }
      try {
        own = { 'X-Auth-Token': await this.#lookUp((signal) => trustTokens.token(trust.id, signal), signal) }
      } catch (error) {
        if (error instanceof TrustGone) return failure('the trust has ended')
        this.#seldom.tell('trust', error)
        return failure('Keystone gave no token of the trust')
      }
    }
    const { headers, body } = compose(own)
    const now = clock.now()
    const live = secrets.filter(({ until }) => until === null || until > now).map(({ key }) => key)
    const signed =
      live.length === 0 ? {} : signatureHeaders({ id, timestamp: Math.floor(now / 1000), body, secrets: live })
    const answer = await webhook.send({ url, headers: { ...headers, ...signed }, body }, signal)
    if (answer.status === UNAUTHORIZED && trust !== null) trustTokens?.refresh(trust.id)
    // What a receiver says while all is well is not for the owner to read: it may be a service inside of the network.
    return answer.result === 'delivered' ? { ...answer, answer: null } : answer
  }
}

/** The same for the same messages, so that a receiver knows a repetition by it. */
function idOf(messages: readonly NotifiedMessage[]): string {
  const [first] = messages
  if (first !== undefined && messages.length === 1) return first.id
  const hash = createHash('sha256')
  for (const { id } of messages) hash.update(`${id}\n`)
  return hash.digest('hex').slice(0, 32)
}
