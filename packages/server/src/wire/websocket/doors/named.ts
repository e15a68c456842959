import type { TSchema } from 'typebox'
import { onTopics } from '../../../core/operations/topics/on-topics.ts'
import type { JsonObject } from '../../../model/model.ts'
import { Type } from '../../typed-schema.ts'
import type { AnySocketDoor, SocketDoor, SocketRequest, Target } from '../socket-door.ts'

/** What something is named by in a body, beside its queue: under which key, where in the path, and as which name. */
const KEYS = {
  messages: ['message_id', 'message'],
  claims: ['claim_id', 'claim'],
  subscriptions: ['subscription_id', 'subscription'],
} as const

/** The queue that a body names, as the schema made sure of. */
export function queueIn(body: JsonObject): string {
  return body['queue_name'] as string
}

/** What an action does to a queue, or to what `below` of it, as HTTP would do it. */
export function toQueue(method: string, below = ''): (body: JsonObject) => Target {
  return (body) => {
    const queue = queueIn(body)
    return { resource: { method, path: `/v2/queues/${queue}${below}` }, names: { queue } }
  }
}

/** What an action does to one of the parts of a queue, which its body names. */
export function toOne(method: string, part: keyof typeof KEYS): (body: JsonObject) => Target {
  const [key, param] = KEYS[part]
  return (body) => {
    const queue = queueIn(body)
    const id = body[key] as string
    return { resource: { method, path: `/v2/queues/${queue}/${part}/${id}` }, names: { queue, [param]: id } }
  }
}

/** A door for topics as well: `topic_name` stands in for `queue_name`. */
export function alsoForTopics(door: AnySocketDoor): AnySocketDoor {
  return { ...door, forTopics: forTopics(door) }
}

function forTopics(door: AnySocketDoor): AnySocketDoor {
  const { body, variants, when, failure } = door
  const { queue_name: name, ...others } = body.properties
  const onQueue = (request: SocketRequest) => ({ ...request, body: asQueue(request.body) })
  return {
    ...door,
    operation: onTopics(door.operation),
    body: Type.Object({ topic_name: name as TSchema, ...others }),
    target(body) {
      const { resource, names } = door.target(asQueue(body))
      return { resource: { ...resource, path: resource.path.replace('/queues/', '/topics/') }, names }
    },
    decode: (request) => door.decode(onQueue(request)),
    encode: (output, request) => door.encode(output, onQueue(request)),
    ...(failure && { failure: (error, body) => failure(error, asQueue(body)) }),
    ...(variants && { variants: variants.map(forTopics) }),
    ...(when && { when }),
  } satisfies SocketDoor<unknown, unknown>
}

function asQueue({ topic_name: name, ...body }: JsonObject): JsonObject {
  return { ...body, queue_name: name as string }
}
