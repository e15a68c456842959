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
  const { action } = door
  const doc = docOf(door, limits)
  const { summary, details } = doc
  const docs = [doc, ...(door.variants ?? []).map((one) => docOf(one, limits))]
  const errors = [...new Set(docs.flatMap((one) => one.errors ?? []))].map(describedCode)
  const headers = { ...(door.needsNoCaller ? {} : CALLER), ...(door.admin && OPERATOR) }
  return {
    operation: {
      ...answered(action),
      summary,
      ...(details !== undefined && { description: details }),
      tags: [{ name: tagOf(action) }],
      ...(errors.length > 0 && {
        'x-errors': errors.map(({ status, description = '' }) => ({ status, exception: description })),
      }),
    },
    messages: [
      {
        name: action,
        title: summary,
        payload: requestSchema(action, bodySchema(door, doc, limits), door),
        examples: docs.map(({ summary, example }) => ({
          name: action,
          summary,
          payload: { action, headers, body: example.body },
        })),
      },
      {
        name: `${action}.answer`,
        title: `Answer to ${action}`,
        payload: answersSchema(docs),
        examples: docs.map(({ summary, example: { body, status, answer } }) => ({
          name: `${action}.answer`,
          summary,
          payload: { request: { action, body, headers, api: 'v2' }, body: answer, headers: { status } },
        })),
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

function bodySchema(door: AnySocketDoor, doc: SocketDoorDoc, limits: Limits): JsonSchema {
  const read = door.body as unknown as JsonSchema
  const whole = doc.body === undefined ? read : overlay(read, doc.body)
  const { forTopics } = door
  return forTopics === undefined ? whole : { anyOf: [whole, bodySchema(forTopics, docOf(forTopics, limits), limits)] }
}

const NOTHING: JsonSchema = { type: 'object', maxProperties: 0 }

function answersSchema(docs: readonly SocketDoorDoc[]): JsonSchema {
  const answers = docs.flatMap(({ answers, example }) => Object.entries(answers ?? { [example.status]: ANYTHING }))
  const schemas = answers.map(([status, { description, schema = NOTHING }]) => ({
    description,
    ...answerSchema({ const: Number(status) }, schema),
  }))
  return schemas.length === 1 ? (schemas[0] as JsonSchema) : { anyOf: schemas }
}

const ANYTHING = { description: 'Done.', schema: {} }

const NOUNS = ['queue', 'message', 'claim', 'subscription', 'topic', 'pool', 'flavor']

function tagOf(action: string): string {
  const noun = NOUNS.find((noun) => action.startsWith(`${noun}_`))
  return noun === undefined ? 'service' : `${noun}s`
}
