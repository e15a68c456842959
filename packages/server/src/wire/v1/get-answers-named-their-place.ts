import type { Operation } from '../../core/execute.ts'
import { getClaim } from '../../core/operations/claims/get-claim.ts'
import { getMessage } from '../../core/operations/messages/get-message.ts'
import { getMessages } from '../../core/operations/messages/get-messages.ts'
import { listMessages } from '../../core/operations/messages/list-messages.ts'
import { getPool } from '../../core/operations/pools/get-pool.ts'
import { getQueueStats } from '../../core/operations/queues/get-queue-stats.ts'
import { listQueues } from '../../core/operations/queues/list-queues.ts'
import type { DoorRequest } from '../door.ts'
import { all, altered, type Change, described } from '../older.ts'
import type { DoorDoc } from '../openapi/types.ts'

/** `Content-Location`: the path and the query of the request. (contract http.md 1.10) */
export function place({ path, rawQuery }: DoorRequest): { 'Content-Location': string } {
  return { 'Content-Location': rawQuery === '' ? encodeURI(path) : `${encodeURI(path)}?${rawQuery}` }
}

/** The answer to a GET named the place of what it shows. For messages, an error did so too. */
export const getAnswersNamedTheirPlace = all(
  named(listQueues),
  named(getQueueStats),
  named(listMessages),
  named(getMessages),
  named(getMessage),
  named(getClaim),
  named(getPool),
  altered(listMessages, () => ({ errorHeaders: (_error, request) => place(request) })),
  altered(getMessages, () => ({ errorHeaders: (_error, request) => place(request) })),
)

function named<Input, Output>(operation: Operation<Input, Output>): Change {
  return all(
    altered(operation, ({ encode }) => ({
      encode(output, request) {
        const answer = encode(output, request)
        return { ...answer, headers: { ...answer.headers, ...place(request) } }
      },
    })),
    described(operation, withPlace),
  )
}

function withPlace({ answers, examples, ...newer }: DoorDoc): DoorDoc {
  const placed = Object.entries(answers).map(([status, { headers = [], ...answer }]) => [
    status,
    { ...answer, headers: [...headers, 'Content-Location'] },
  ])
  return {
    ...newer,
    answers: Object.fromEntries(placed),
    examples: examples.map(({ request, answer, ...example }) => ({
      ...example,
      request,
      answer: { ...answer, headers: { ...answer.headers, 'Content-Location': request.path } },
    })),
  }
}
