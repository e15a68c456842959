import { getMessages } from '../../core/operations/messages/get-messages.ts'
import { listMessages } from '../../core/operations/messages/list-messages.ts'
import { listQueues } from '../../core/operations/queues/list-queues.ts'
import { NO_CONTENT } from '../door.ts'
import { all, altered, told } from '../older.ts'
import { place } from './get-answers-named-their-place.ts'

/** A list of nothing was 204, also where none of the messages asked for existed. (contract http.md 3.1.5, 3.7.3, 3.7.4) */
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
)
