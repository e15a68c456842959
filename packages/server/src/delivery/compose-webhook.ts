import { DOCUMENT_MARKER, MOST_MARKERS, type SubscriptionOptions } from '../core/rules/subscription-options.ts'
import { asciiJson } from '../model/ascii-json.ts'
import type { NotifiedMessage, Queue } from '../model/model.ts'
import type { WebhookRequest } from './channel.ts'
import { cloudEvent, cloudEventHeaders, messageDocument } from './documents.ts'

type Composed = Pick<WebhookRequest, 'headers' | 'body'>

/** They say how a request goes over its connection, which is for whoever sends it to say. In lower case. */
const OF_THE_CONNECTION = [
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/**
 * What is posted to tell of messages: the document of one, or an array of them where the subscription wants batches.
 * `post_headers` and `post_data` are applied. (contract notifications.md 4)
 * @param p.messages one, or those of a batch in order; never none
 * @param p.headers further ones, that `post_headers` may replace: the token of a trust
 */
export function composeWebhook(p: {
  options: SubscriptionOptions
  queue: Queue
  messages: readonly NotifiedMessage[]
  headers?: Readonly<Record<string, string>>
}): Composed {
  const { headers, body } = parcelOf(p.options, p.queue, p.messages)
  return dressed(p.options, { ...headers, ...p.headers }, body)
}

/**
 * What is posted to tell of the subscription itself, whatever the form of its messages.
 * @param p.document JSON text in ASCII
 */
export function composeAnnouncement(p: {
  options: SubscriptionOptions
  document: string
  headers?: Readonly<Record<string, string>>
}): Composed {
  return dressed(p.options, { ...JSON_TYPE, ...p.headers }, p.document)
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

function parcelOf(
  { format, batch, postData }: SubscriptionOptions,
  queue: Queue,
  messages: readonly NotifiedMessage[],
): Composed {
  const [first] = messages
  if (format === 'cloudevents-binary' && first !== undefined) {
    return { headers: cloudEventHeaders(first, queue), body: asciiJson(first.body) }
  }
  const documentOf = format === 'cloudevents' ? cloudEvent : messageDocument
  const documents = messages.map((message) => documentOf(message, queue))
  const body = batch === null ? documents.join() : `[${documents.join(', ')}]`
  // Who fills a template of his own with an event sends something else.
  if (format === 'zaqar' || postData !== null) return { headers: JSON_TYPE, body }
  return { headers: { 'Content-Type': `application/cloudevents${batch === null ? '' : '-batch'}+json` }, body }
}

function dressed(
  { postHeaders, postData }: SubscriptionOptions,
  headers: Readonly<Record<string, string>>,
  document: string,
): Composed {
  return { headers: merged(headers, postHeaders), body: postData === null ? document : filled(postData, document) }
}

/** Names compare without case; the later one holds, as it is spelt. */
function merged(
  headers: Readonly<Record<string, string>>,
  over: SubscriptionOptions['postHeaders'],
): Record<string, string> {
  const byName = new Map<string, readonly [string, string | null]>()
  const own = Object.entries(over).filter(([name]) => !OF_THE_CONNECTION.includes(name.toLowerCase()))
  for (const [name, value] of [...Object.entries(headers), ...own]) byName.set(name.toLowerCase(), [name, value])
  return Object.fromEntries([...byName.values()].filter((header): header is [string, string] => header[1] !== null))
}

/** The most that `composeWebhook` makes a body of, in characters, which are bytes unless `post_data` has others. */
export function composedLength({
  options,
  messages,
}: {
  options: Pick<SubscriptionOptions, 'postData'>
  messages: readonly NotifiedMessage[]
}): number {
  const template = options.postData ?? DOCUMENT_MARKER
  const markers = Math.min(template.split(DOCUMENT_MARKER).length - 1, MOST_MARKERS)
  const documents = messages.reduce((sum, { body }) => sum + ENVELOPE + ESCAPED * body.length, 0)
  return template.length + markers * documents
}

/** Of what stands around a body; and of a character that is written as `\uXXXX`. */
const ENVELOPE = 1_000
const ESCAPED = 6

/** Markers beyond the bound are left alone. */
function filled(template: string, document: string): string {
  const parts = template.split(DOCUMENT_MARKER)
  const rest = parts.splice(MOST_MARKERS + 1)
  return [parts.join(document), ...rest].join(DOCUMENT_MARKER)
}
