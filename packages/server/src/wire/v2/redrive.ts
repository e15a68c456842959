import { redriveMessages } from '../../core/operations/messages/redrive-messages.ts'
import { printJson } from '../../model/json.ts'
import { readFields, readOptionalObject } from '../body.ts'
import { type AnyDoor, door, ok } from '../door.ts'
import { messagePath } from '../message-documents.ts'
import { Type } from '../typed-schema.ts'
import { invalidBody } from '../wire-error.ts'
import { redriveDoc } from './redrive-docs.ts'

/** All may be left out: then all messages are moved, at the default rate. */
const RedriveTerms = Type.Object({
  ids: Type.Optional(Type.Array(Type.String())),
  /** Messages a second. */
  rate: Type.Optional(Type.Integer()),
  limit: Type.Optional(Type.Integer()),
})

/** `POST /queues/Q/redrive`, an addition of ours: dead letters go back to where they came from. */
export const redriveDoor: AnyDoor = door({
  method: 'POST',
  path: '/queues/:queue/redrive',
  operation: redriveMessages,
  body: RedriveTerms,
  describe: redriveDoc,
  decode({ params, body }) {
    const { ids, rate, limit } = readFields(readOptionalObject(body), RedriveTerms)
    if (ids?.some((id) => typeof id !== 'string')) throw invalidBody('The "ids" must be strings.')
    return { queue: params['queue'] as string, ids, rate, limit }
  },
  encode({ moved, done }, { prefix }) {
    const documents = moved.map(({ id, queue }) => ({
      id,
      queue,
      href: messagePath(`${prefix}/queues/${queue}`, id),
    }))
    return ok(printJson({ moved: documents, done }))
  },
})
