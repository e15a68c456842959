/** What a receiver is told of a message, as JSON text in ASCII. */
import { integerOf } from '../core/rules/integers.ts'
import { asciiJson } from '../model/ascii-json.ts'
import { parseJson } from '../model/json.ts'
import { membersOf } from '../model/members.ts'
import type { NotifiedMessage, Queue } from '../model/model.ts'

/** The document of a message, byte for byte. (contract notifications.md 4) */
export function messageDocument({ ttlSeconds, body, delaySeconds }: NotifiedMessage, queue: Queue): string {
  const delay = delaysMessages(queue) ? `, "delay": ${delaySeconds}` : ''
  const about = `"Message_Type": "Notification", "queue_name": "${queue.name}"`
  return `{"ttl": ${ttlSeconds}, "body": ${asciiJson(body)}${delay}, ${about}}`
}

/** Whether it has a default delay: only then messages have one at all. */
function delaysMessages({ metadata }: Queue): boolean {
  const delay = membersOf(metadata).get('_default_message_delay')
  return delay !== undefined && (integerOf(parseJson(delay)) ?? 0) > 0
}

/** The message as a CloudEvent in structured mode. (CloudEvents 1.0.2, JSON event format 1.0.2) */
export function cloudEvent(message: NotifiedMessage, queue: Queue): string {
  const { ttl, ...texts } = attributesOf(message, queue)
  const attributes = Object.entries(texts).map(([name, value]) => `"${name}": ${asciiJson(JSON.stringify(value))}`)
  return `{${attributes.join(', ')}, "ttl": ${ttl}, "data": ${asciiJson(message.body)}}`
}

/** The headers of a CloudEvent in binary mode, whose body is that of the message. (HTTP protocol binding 1.0.2, 3.1) */
export function cloudEventHeaders(message: NotifiedMessage, queue: Queue): Record<string, string> {
  const { datacontenttype, ...attributes } = attributesOf(message, queue)
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, headerText(String(value))])
  return { 'Content-Type': datacontenttype, ...Object.fromEntries(headers) }
}

/** `ttl` in seconds, and `project` are extensions. */
function attributesOf({ id, createdAt, ttlSeconds }: NotifiedMessage, { project, kind, name }: Queue) {
  return {
    specversion: '1.0',
    id,
    source: `/v2/${kind}s/${name}`,
    type: 'org.openstack.zaqar.message',
    time: new Date(createdAt).toISOString(),
    datacontenttype: 'application/json',
    // An attribute is never empty.
    ...(project === '' ? {} : { project }),
    ttl: ttlSeconds,
  }
}

/** (HTTP protocol binding 3.1.3.2) */
function headerText(value: string): string {
  return value.toWellFormed().replace(/[^\x21-\x7e]|["%]/gu, percentEncoded)
}

function percentEncoded(character: string): string {
  return Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
