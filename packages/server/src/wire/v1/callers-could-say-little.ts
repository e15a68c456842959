import type { Operation } from '../../core/execute.ts'
import { listMessages } from '../../core/operations/messages/list-messages.ts'
import { postMessages } from '../../core/operations/messages/post-messages.ts'
import { all, altered, type Change, described } from '../older.ts'
import { clientIdMissing } from '../wire-error.ts'

/**
 * Callers that named no project shared one. Only listing and posting messages needed the id of a client. (contract
 * http.md 1.3, 1.4)
 */
export const callersCouldSayLittle = all(
  (newer) => ({ ...newer, callers: { needsProject: false, needsClientId: false, insistsOnUuids: true } }),
  needsClientId(listMessages),
  described(listMessages, (newer) => ({
    ...newer,
    description: `${newer.description} Without \`ids\`, \`Client-ID\` must be there.`,
  })),
  needsClientId(postMessages),
)

function needsClientId<Input, Output>(operation: Operation<Input, Output>): Change {
  return all(
    altered(operation, ({ decode }) => ({
      decode(request) {
        if (request.caller.clientId === '') throw clientIdMissing()
        return decode(request)
      },
    })),
    described(operation, (newer) => ({ ...newer, needsClientId: true })),
  )
}
