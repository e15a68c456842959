import type { Mail } from './channel.ts'

/** A template of `[notification]`. In the body `{0}` is the queue, `{1}` the project, `{2}` the link. */
export interface MailTemplate {
  readonly topic: string
  readonly body: string
  readonly sender: string
}

/**
 * The mail that tells a subscriber of messages (contract, notifications.md 6), one document a line. `options` are those
 * of the subscription; `sender` stands in where they name none in `from`.
 */
export function composeMail({
  subscriber,
  options,
  documents,
  sender,
}: {
  subscriber: string
  options: Readonly<Record<string, unknown>>
  documents: readonly string[]
  sender: string
}): Mail {
  const { subject, ...receivers } = readMailto(subscriber)
  return {
    ...receivers,
    from: textOf(options['from']) || sender,
    subject: subject ?? textOf(options['subject']),
    text: documents.join('\n'),
  }
}

/** The mail that asks whether a subscription is wanted, or wanted again. It goes to all who would be told. */
export function composeConfirmationMail({
  template,
  subscriber,
  queue,
  project,
  link,
}: {
  template: MailTemplate
  subscriber: string
  queue: string
  project: string
  link: string
}): Mail {
  const { to, cc, bcc } = readMailto(subscriber)
  const text = filled(template.body, [queue, project, link])
  return { to, cc, bcc, from: template.sender, subject: template.topic, text }
}

/**
 * What a mail for confirmation leads to: the page of the operator with all that its `PUT` has to say. As upstream, values
 * stand there as they are, since pages may not decode them, save for what would end or change the value in an address.
 */
export function confirmationLink(
  base: string,
  values: {
    readonly signature: string
    readonly methods: string
    readonly paths: string
    readonly project: string
    readonly expires: string
    /** Where to confirm; empty where that is not known. */
    readonly url: string
    readonly queue: string
  },
): string {
  const { signature, methods, paths, project, expires, url, queue } = values
  const query = Object.entries({
    Signature: signature,
    Methods: methods,
    Paths: paths,
    Project: project,
    Expires: expires,
    Url: url,
    Queue: queue,
  }).map(([name, value]) => `${name}=${encodeURI(value.toWellFormed()).replace(/[&#+]/g, encodeURIComponent)}`)
  return `${base}${base.includes('?') ? '&' : '?'}${query.join('&')}`
}

/** `mailto:` by RFC 6068. Names in the query may be in any case; of a name that is there twice the last counts, save receivers. */
function readMailto(uri: string): { to: string; cc: string | null; bcc: string | null; subject: string | null } {
  const [path = '', query = ''] = uri.replace(/^mailto:/i, '').split(/\?(.*)/s)
  const fields = query.split('&').map((field) => {
    const [name = '', value = ''] = field.split(/=(.*)/s)
    return { name: decoded(name).toLowerCase(), value }
  })
  const valuesOf = (wanted: string) => fields.filter(({ name }) => name === wanted).map(({ value }) => value)
  const receivers = (lists: readonly string[]) => lists.flatMap((list) => list.split(',')).map(address)
  const orNull = (list: readonly string[]) => (list.length === 0 ? null : list.join(', '))
  const subject = valuesOf('subject').at(-1)
  return {
    to: receivers([path, ...valuesOf('to')])
      .filter((one) => one !== '')
      .join(', '),
    cc: orNull(receivers(valuesOf('cc'))),
    bcc: orNull(receivers(valuesOf('bcc'))),
    subject: subject === undefined ? null : decoded(subject),
  }
}

/** An encoded comma is part of an address. No such address is served, and quotes keep it from being taken for two. */
function address(encoded: string): string {
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

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
