import type { Limits } from '../../core/rules/limits.ts'
import { describedCode } from '../openapi/errors.ts'
import type { JsonSchema } from '../openapi/json-schema.ts'
import { overlay } from '../openapi/overlay.ts'
import { callerParameters } from '../openapi/parameters.ts'
import type { AnySocketDoor, SocketDoorDoc } from '../websocket/socket-door.ts'
import { answerSchema, requestSchema } from './frames.ts'
import type { AsyncApiMessage, AsyncApiOperation, Pointer } from './types.ts'

/** What the document has of an action. */
export interface ActionParts {
  readonly operation: AsyncApiOperation
  readonly messages: readonly AsyncApiMessage[]
}

export const channel: Pointer = { $ref: '#/channels/socket' }
/** The name of the message with which any request may be refused. */
export const REFUSAL = 'refusal'

export function messageOf(name: string): Pointer {
  return { $ref: `${channel.$ref}/messages/${name}` }
}

/** The action of a door: its operation, its request and its answer. */
export function actionParts(door: AnySocketDoor, limits: Limits): ActionParts {
  const { action, needsNoCaller = false } = door
  const doc = docOf(door, limits)
  const { summary, details, errors = [], example } = doc
  const body = door.forTopics
    ? { anyOf: [bodyOf(door, doc), bodyOf(door.forTopics, docOf(door.forTopics, limits))] }
    : bodyOf(door, doc)
  const headers = { ...(needsNoCaller ? {} : CALLER), ...(door.admin && OPERATOR) }
  return {
    operation: {
      ...answered(action),
      summary,
      ...(details !== undefined && { description: details }),
      tags: [{ name: tagOf(action) }],
      ...(errors.length > 0 && {
        'x-errors': errors
          .map(describedCode)
          .map(({ status, description = '' }) => ({ status, exception: description })),
      }),
    },
    messages: [
      {
        name: action,
        title: summary,
        payload: requestSchema(action, body, door),
        examples: [{ name: 'request', payload: { action, headers, body: example.body } }],
      },
      {
        name: `${action}.answer`,
        title: `Answer to ${action}`,
        payload: answersSchema(doc),
        examples: [
          {
            name: 'answer',
            payload: {
              request: { action, body: example.body, headers, api: 'v2' },
              body: example.answer,
              headers: { status: example.status },
            },
          },
        ],
      },
    ],
  }
}

/** The part of an operation that every request has which is answered. */
export function answered(action: string): Pick<AsyncApiOperation, 'action' | 'channel' | 'messages' | 'reply'> {
  const messages = [`${action}.answer`, REFUSAL].map(messageOf)
  return { action: 'receive', channel, messages: [messageOf(action)], reply: { channel, messages } }
}

const { ClientId, ProjectId } = callerParameters
export const CALLER = { 'Client-ID': ClientId.example, 'X-Project-ID': ProjectId.example }
/** Where no Keystone says what roles a caller has. */
const OPERATOR = { 'X-Roles': 'admin' }

function docOf({ describe }: AnySocketDoor, limits: Limits): SocketDoorDoc {
  return typeof describe === 'function' ? describe(limits) : describe
}

function bodyOf({ body }: AnySocketDoor, doc: SocketDoorDoc): JsonSchema {
  const read = body as unknown as JsonSchema
  return doc.body === undefined ? read : overlay(read, doc.body)
}

const NOTHING: JsonSchema = { type: 'object', maxProperties: 0 }

function answersSchema({ answers, example }: SocketDoorDoc): JsonSchema {
  if (answers === undefined) return answerSchema({ const: example.status }, {})
  const schemas = Object.entries(answers).map(([status, { description, schema = NOTHING }]) => ({
    description,
    ...answerSchema({ const: Number(status) }, schema),
  }))
  return schemas.length === 1 ? (schemas[0] as JsonSchema) : { oneOf: schemas }
}

const NOUNS = ['queue', 'message', 'claim', 'subscription', 'topic', 'pool', 'flavor']

function tagOf(action: string): string {
  const noun = NOUNS.find((noun) => action.startsWith(`${noun}_`))
  return noun === undefined ? 'service' : `${noun}s`
}
