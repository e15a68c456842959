import type { Limits } from '../../core/rules/limits.ts'
import { commonSchemas } from '../openapi/common-schemas.ts'
import type { JsonSchema } from '../openapi/json-schema.ts'
import { pointedAt } from '../openapi/version-schemas.ts'
import type { AnySocketDoor } from '../websocket/socket-door.ts'
import { actionParts } from './actions.ts'
import { commonMessages, commonOperations } from './common.ts'
import { frameSchemas } from './frames.ts'
import type { AsyncApi } from './types.ts'

/** Describes the socket: its actions, and what it sends unasked. `schemas` are those of answers, by name. */
export function asyncApi(
  doors: readonly AnySocketDoor[],
  schemas: Readonly<Record<string, JsonSchema>>,
  limits: Limits,
): AsyncApi {
  const actions = doors.map((door) => [door.action, actionParts(door, limits)] as const)
  const messages = [...actions.flatMap(([, parts]) => parts.messages), ...commonMessages]
  const names = messages.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }] as const)
  return {
    asyncapi: '3.0.0',
    info: { title: 'Zaqar', version: '2', description: ABOUT },
    defaultContentType: 'application/json',
    servers: { plain: server('ws'), tls: server('wss') },
    channels: {
      socket: {
        address: '/',
        title: 'The connection',
        description: 'An upgrade at any path leads to it. Frames may be of either encoding, in any order.',
        messages: Object.fromEntries(names),
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
        'x-close-codes': CLOSE_CODES,
      },
    },
    operations: {
      ...Object.fromEntries(actions.map(([action, { operation }]) => [action, operation])),
      ...commonOperations,
    },
    components: {
      messages: Object.fromEntries(messages.map((message) => [message.name, message])),
      schemas: pointedAt(messages, { ...frameSchemas, ...commonSchemas, ...schemas }),
    },
  }
}

function server(protocol: 'ws' | 'wss'): JsonSchema {
  const description = 'That of the HTTP API, or the port of the WebSocket transport where it has one.'
  return { host: '{host}', protocol, variables: { host: { default: 'localhost:8888', description } } }
}

const ABOUT = `Queues and notifications for many projects, over one connection.

A request is a frame with an \`action\`, \`headers\` and a \`body\`; its answer echoes it and has a \`status\` as over HTTP. \
A text frame holds JSON and is answered in JSON; a binary frame holds the same document as MessagePack, and is answered in that. \
Answers come in the order of the requests, but those of requests that wait come when there is something to say. A push has \
no \`request\`.

What is called an addition of this service, the original has not. /openapi.json describes the same operations over HTTP.`

/** (contract websocket.md 1, 5.2) */
const CLOSE_CODES = {
  1001: 'The service stops.',
  1002: 'The client has broken the protocol.',
  1007: 'A text frame was no UTF-8.',
  1008: 'The project has as many connections as it may have, or nothing has come from the client for too long.',
  1009: 'A message was larger than a body may be.',
  1013: 'The client reads too slowly, or may have missed messages: what stands behind its marker comes again.',
  4003: 'The credentials have ended.',
}
