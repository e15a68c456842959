import type { DeadLetterPolicy } from '../../model/model.ts'
import type { MessageStore, Stale } from '../contract.ts'
import { type Engine, onQueue } from './engine.ts'
import type { Identity } from './identifiers.ts'
import type { Parameters } from './lanes.ts'
import { type MessageRow, toMessages } from './rows.ts'

type Page = { bucket: number; messages: MessageRow[] }
type Appended = { bucket: number; first: number; count: number }
type Moved = { moved: [idBucket: number, idNumber: number, queue: string][] }

/** The parameter of claims and pops, left out when nothing is ever moved. */
export function deadLetterOf(queue: { name: string }, policy: DeadLetterPolicy | null): Parameters {
  return policy === null || policy.queue === queue.name ? {} : { deadLetter: policy }
}

export function createMessageStore({ lanes, identifiers }: Engine): MessageStore {
  const visit = lanes.visit.bind(lanes)
  const write = lanes.write.bind(lanes)
  const read = lanes.read.bind(lanes)

  return {
    append({ queue, clientId, messages, idempotency, now }) {
      const parameters = {
        client: clientId,
        messages: messages.map(({ body, ttlSeconds, delaySeconds }) => [body, ttlSeconds, delaySeconds]),
        bytes: messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0),
        delayed: messages.some(({ delaySeconds }) => delaySeconds > 0),
        ...(idempotency && { idempotency }),
        now,
      }
      return onQueue(visit<Appended | 'conflict' | Stale>, { move: 'append', queue, parameters }, (answer) => {
        if (answer === 'conflict') return answer
        const { bucket, first, count } = answer as Appended
        return { ids: identifiers.ofMessages(Array.from({ length: count }, (_, i): Identity => [bucket, first + i])) }
      })
    },

    list({ queue, after, limit, hideClientId, includeClaimed, includeDelayed, now }) {
      const position = after === null ? null : identifiers.position(after)
      const parameters = { after: position, limit, hidden: hideClientId, includeClaimed, includeDelayed, now }
      return onQueue(read<Page | Stale>, { move: 'list_messages', queue, parameters }, (answer) => {
        const { bucket, messages } = answer as Page
        const last = messages.at(-1)
        return {
          messages: toMessages(messages, bucket, identifiers),
          marker: last ? identifiers.ofPosition([bucket, last[2], last[3] ?? (last[2] as number)]) : null,
        }
      })
    },

    get({ queue, ids, now }) {
      const parameters = { ids: identifiers.messages(ids), now }
      return onQueue(read<Page | Stale>, { move: 'get_messages', queue, parameters }, (answer) => {
        const { bucket, messages } = answer as Page
        const found = new Map(toMessages(messages, bucket, identifiers).map((message) => [message.id, message]))
        return [...new Set(ids)].flatMap((id) => found.get(id) ?? [])
      })
    },

    delete({ queue, id, claimId, now }) {
      // An id that is none names nothing; the move still has to say whether the queue is stale.
      const identity = identifiers.message(id) ?? [0, 0]
      const parameters = { id: identity, ...(claimId !== null && { claim: identifiers.claim(claimId) }), now }
      type Answer = 'deleted' | 'absent' | 'held' | 'not-claimed' | 'claim-not-live'
      return onQueue(visit<Answer | Stale>, { move: 'delete_message', queue, parameters }, (answer) => answer)
    },

    deleteMany({ queue, ids, claimIds, now }) {
      const claims = claimIds && { claims: claimIds.map((id) => identifiers.claim(id)) }
      const parameters = { ids: identifiers.messages(ids), ...claims, now }
      type Answer = 'deleted' | 'held'
      return onQueue(visit<Answer | Stale>, { move: 'delete_messages', queue, parameters }, (answer) => answer)
    },

    pop({ queue, limit, deadLetter, now }) {
      const parameters = { limit, ...deadLetterOf(queue, deadLetter), now }
      return onQueue(visit<Page | Stale>, { move: 'pop', queue, parameters }, (answer) => {
        const { bucket, messages } = answer as Page
        return toMessages(messages, bucket, identifiers)
      })
    },

    purge: ({ queue }) =>
      onQueue(write<'purged' | Stale>, { move: 'purge_messages', queue, parameters: {} }, () => 'purged' as const),

    redrive({ queue, ids, limit, now }) {
      const parameters = { ...(ids && { ids: identifiers.messages(ids) }), limit, now }
      const alone: typeof visit = (move, key, complete) => lanes.visit(move, key, complete, true)
      return onQueue(alone<Moved | Stale>, { move: 'redrive', queue, parameters }, (answer) => {
        const { moved } = answer as Moved
        const moveIds = identifiers.ofMessages(moved.map(([bucket, number]): Identity => [bucket, number]))
        return moved.map(([, , name], i) => ({ id: moveIds[i] as string, queue: name }))
      })
    },
  }
}
