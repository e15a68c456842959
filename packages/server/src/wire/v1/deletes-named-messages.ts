import { deleteMessages } from '../../core/operations/messages/delete-messages.ts'
import { popMessages } from '../../core/operations/messages/pop-messages.ts'
import { all, altered, described, knowing, removed, told } from '../older.ts'
import { ListParam, readQuery } from '../query.ts'
import { WireError } from '../wire-error.ts'

const idsMissing = { status: 400, title: 'Missing parameter', description: 'The "ids" parameter is required.' }

/** Only ids said what to delete; nothing could be popped, and no claim was asked for. (contract http.md 3.7.6) */
export const deletesNamedMessages = all(
  removed(({ operation }) => operation === popMessages),
  knowing(deleteMessages, ['ids']),
  told(deleteMessages, { needsClaimIds: false }),
  altered(deleteMessages, ({ decode }) => ({
    decode(request) {
      if (readQuery(request.query, { ids: ListParam }).ids === undefined) {
        throw new WireError(idsMissing.status, idsMissing.title, idsMissing.description)
      }
      return decode(request)
    },
  })),
  described(deleteMessages, (newer) => ({
    ...newer,
    query: { ids: { ...newer.query?.['ids'], required: true } },
    errors: ['ids.count_out_of_range'],
    refusals: [idsMissing],
  })),
)
