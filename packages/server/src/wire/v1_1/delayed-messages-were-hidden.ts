import { listMessages } from '../../core/operations/messages/list-messages.ts'
import { all, described, knowing, told } from '../older.ts'
import { reworded } from '../openapi/restate.ts'

/** `include_delayed` was not known, and no queue ever showed what is delayed. (contract http.md 3.7.3, 6.7) */
export const delayedMessagesWereHidden = all(
  knowing(listMessages, ['marker', 'limit', 'echo', 'include_claimed', 'wait']),
  told(listMessages, { includeDelayed: 'never' }),
  described(listMessages, (newer) => ({
    ...newer,
    examples: reworded(newer.examples, '&include_delayed=true', ''),
  })),
)
