import type { SubscriptionOptions } from '../core/rules/subscription-options.ts'
import type { NotifiedMessage, Queue } from '../model/model.ts'
import type { Mail } from './channel.ts'
import { type Confirmation, linkValues } from './confirmation.ts'
import { cloudEvent, messageDocument } from './documents.ts'

/** A template of `[notification]`. In the body `{0}` is the queue, `{1}` the project, `{2}` the link. */
export interface MailTemplate {
  readonly topic: string
  readonly body: string
  readonly sender: string
}

/**
 * The mail that tells a subscriber of messages, a document a line. An event has no binary form in a mail.
 * (contract notifications.md 6)
 * @param p.messages one, or those of a batch in order; never none
 * @param p.sender stands in where the options name none in `from`
 */
export function composeMail(p: {
  subscriber: string
  options: Pick<SubscriptionOptions, 'format' | 'from' | 'subject'>
  queue: Queue
  messages: readonly NotifiedMessage[]
  sender: string
}): Mail {
  const { format, from, subject } = p.options
  const { subject: ownSubject, ...receivers } = readMailto(p.subscriber)
  const documentOf = format === 'zaqar' ? messageDocument : cloudEvent
  return {
    ...receivers,
    from: from || p.sender,
    subject: ownSubject ?? subject ?? '',
    text: p.messages.map((message) => documentOf(message, p.queue)).join('\n'),
  }
}

/** The mail that asks whether a subscription is wanted, or wanted again. It goes to all who would be told. */
export function composeConfirmationMail(p: {
  template: MailTemplate
  subscriber: string
  queue: string
  project: string
  link: string
}): Mail {
  const { to, cc, bcc } = readMailto(p.subscriber)
  const { topic, body, sender } = p.template
  return { to, cc, bcc, from: sender, subject: topic, text: filled(body, [p.queue, p.project, p.link]) }
}

/**
 * The link to a page of the operator, with all that its `PUT` has to say. As upstream has it, values stand there as they
 * are, since pages may not decode them, save for what would end or change a value. (contract notifications.md 6)
 * @param base address of the page
 */
export function confirmationLink(base: string, confirmation: Confirmation): string {
  const values = { ...linkValues(confirmation), Url: confirmation.url ?? '', Queue: confirmation.queue.name }
  const query = Object.entries(values).map(([name, value]) => `${name}=${inQuery(value)}`)
  return `${base}${base.includes('?') ? '&' : '?'}${query.join('&')}`
}

function inQuery(value: string): string {
  return encodeURI(value.toWellFormed()).replace(/[&#+]/g, encodeURIComponent)
}

/** `mailto:` by RFC 6068. Names in the query may be in any case; of several subjects the last counts. */
function readMailto(uri: string): Pick<Mail, 'to' | 'cc' | 'bcc'> & { subject: string | null } {
  const [path = '', query = ''] = uri.replace(/^mailto:|#.*/gis, '').split(/\?(.*)/s)
  const fields = query.split('&').map((field) => {
    const [name = '', value = ''] = field.split(/=(.*)/s)
    return { name: decoded(name).toLowerCase(), value }
  })
  const valuesOf = (wanted: string) => fields.filter(({ name }) => name === wanted).map(({ value }) => value)
  const subject = valuesOf('subject').at(-1)
  return {
    to: receiversOf([path, ...valuesOf('to')]),
    cc: receiversOf(valuesOf('cc')) || null,
    bcc: receiversOf(valuesOf('bcc')) || null,
    subject: subject === undefined ? null : decoded(subject),
  }
}

function receiversOf(lists: readonly string[]): string {
  const receivers = lists.flatMap((list) => list.split(',')).map(receiverOf)
  return receivers.filter((receiver) => receiver !== '').join(', ')
}

/** An encoded comma is part of an address. No such address is served, and quotes keep it from being taken for two. */
function receiverOf(encoded: string): string {
  const text = decoded(encoded)
  return text.includes(',') ? `"${text}"` : text
}

/** What is not encoded properly stays as it is. `+` is a plus here. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** As Python's `str.format` does it, whose other forms stay as they are. */
function filled(body: string, values: readonly string[]): string {
  return body.replace(/\{\{|\}\}|\{(\d+)\}/g, (field, index?: string) => {
    if (index === undefined) return field.charAt(0)
    return values[Number(index)] ?? field
  })
}
