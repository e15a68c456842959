import { getMessages } from '../../core/operations/messages/get-messages.ts'
import { listMessages } from '../../core/operations/messages/list-messages.ts'
import { listQueues } from '../../core/operations/queues/list-queues.ts'
import { NO_CONTENT } from '../door.ts'
import { all, altered, described, told } from '../older.ts'
import type { AnswerDoc, DoorDoc } from '../openapi/types.ts'
import { place } from './get-answers-named-their-place.ts'

const NO_MESSAGES: AnswerDoc = { description: 'There is none.', headers: ['Content-Location'] }

/**
 * A list of nothing was 204, also where none of the messages asked for existed. (contract http.md 3.1.5, 3.7.3, 3.7.4)
 */
export const emptyListsHadNoContent = all(
  altered(listQueues, ({ encode }) => ({
    encode: (output, request) => (output.queues.length === 0 ? NO_CONTENT : encode(output, request)),
  })),
  altered(listMessages, ({ encode }) => ({
    encode: (output, request) =>
      output.messages.length === 0 ? { status: 204, headers: place(request) } : encode(output, request),
  })),
  told(getMessages, { whenNoneExists: 'show-none' }),
  altered(getMessages, ({ encode }) => ({
    encode: (output, request) =>
      output.messages.length === 0 ? { status: 204, headers: place(request) } : encode(output, request),
  })),
  described(listQueues, (newer) => withNothing(newer, { description: 'There is none.' })),
  described(listMessages, (newer) => withNothing(newer, NO_MESSAGES)),
  described(getMessages, ({ errors = [], ...newer }) => ({
    ...withNothing(newer, NO_MESSAGES),
    errors: errors.filter((code) => code !== 'messages.not_found'),
  })),
)

function withNothing(newer: DoorDoc, nothing: AnswerDoc): DoorDoc {
  const some = newer.answers[200] as AnswerDoc
  return { ...newer, answers: { 200: { ...some, description: 'What there is.' }, 204: nothing } }
}
