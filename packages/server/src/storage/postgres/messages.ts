import type { DeadLetterPolicy, Instant } from '../../model/model.ts'
import type { MessageStore, Stale } from '../contract.ts'
import { type Engine, onQueue } from './engine.ts'
import type { Parameters } from './lanes.ts'
import {
  type DepartureRow,
  type MessageRow,
  positionsOf,
  toDepartures,
  toMessages,
  toWholeMessages,
  type WholeRow,
} from './rows.ts'

type Page = { incarnation: number; messages: MessageRow[] }
type Appended = { incarnation: number; first: number; count: number; createdAt: Instant }
type Moved = { moved: [idIncarnation: number, idNumber: number, createdAt: Instant, queue: string][] }
type End = { incarnation: number; last: number }
type Origins = { names: string[] }
type Exported = End & { messages: WholeRow[] }

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
      const undelayed = messages.filter(({ delaySeconds }) => delaySeconds === 0)
      const parameters = {
        client: clientId,
        messages: messages.map(({ body, ttlSeconds, delaySeconds }) => [body, ttlSeconds, delaySeconds]),
        bytes: messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0),
        delayed: undelayed.length < messages.length,
        leastTtl: undelayed.length === 0 ? null : Math.min(...undelayed.map(({ ttlSeconds }) => ttlSeconds)),
        ...(idempotency && { idempotency }),
        now,
      }
      return onQueue(visit<Appended | 'conflict' | Stale>, { move: 'append', queue, parameters }, (answer) => {
        if (answer === 'conflict') return answer
        const { incarnation, first, count, createdAt } = answer as Appended
        const posted = Array.from({ length: count }, (_, i) => [incarnation, first + i, createdAt] as const)
        return { ids: identifiers.ofMessages(posted) }
      })
    },

    list({ queue, after, limit, hideClientId, includeClaimed, includeDelayed, includeGone, withMarkers, now }) {
      const position = identifiers.position(after)
      const shown = { hidden: hideClientId, includeClaimed, includeDelayed, includeGone: includeGone === true }
      const parameters = { after: position, limit, ...shown, now }
      return onQueue(read<Page | Stale>, { move: 'list_messages', queue, parameters }, (answer) => {
        const { incarnation, messages } = answer as Page
        const shown = toMessages(messages, incarnation, identifiers)
        if (withMarkers) {
          const markers = positionsOf(messages, incarnation, identifiers, includeDelayed)
          const marked = shown.map((message, i) => ({ ...message, marker: markers[i] as string }))
          return { messages: marked, marker: markers.at(-1) ?? null }
        }
        const [marker = null] = positionsOf(messages.slice(-1), incarnation, identifiers, includeDelayed)
        return { messages: shown, marker }
      })
    },

    get({ queue, ids, now }) {
      const parameters = { ids: identifiers.messages(ids), now }
      return onQueue(read<Page | Stale>, { move: 'get_messages', queue, parameters }, (answer) => {
        const { incarnation, messages } = answer as Page
        const found = new Map(toMessages(messages, incarnation, identifiers).map((message) => [message.id, message]))
        return [...new Set(ids)].flatMap((id) => found.get(id) ?? [])
      })
    },

    delete({ queue, id, claimId, now }) {
      const claim = claimId === null ? {} : { claim: identifiers.claim(claimId) }
      const parameters = { id: identifiers.message(id), ...claim, now }
      type Answer = 'deleted' | 'absent' | 'held' | 'not-claimed' | 'claim-not-live'
      return onQueue(visit<Answer | Stale>, { move: 'delete_message', queue, parameters }, (answer) => answer)
    },

    deleteMany({ queue, ids, claimIds, now }) {
      const claims = claimIds && { claims: claimIds.map((id) => identifiers.claim(id)) }
      const parameters = { ids: identifiers.messages(ids), ...claims, now }
      type Answer = { deleted: number } | 'held'
      return onQueue(visit<Answer | Stale>, { move: 'delete_messages', queue, parameters }, (answer) => answer)
    },

    pop({ queue, limit, deadLetter, now }) {
      const parameters = { limit, ...deadLetterOf(queue, deadLetter), now }
      return onQueue(visit<Page | Stale>, { move: 'pop', queue, parameters }, (answer) => {
        const { incarnation, messages } = answer as Page
        return toMessages(messages, incarnation, identifiers)
      })
    },

    purge: ({ queue, now }) =>
      onQueue(write<'purged' | Stale>, { move: 'purge_messages', queue, parameters: { now } }, () => 'purged' as const),

    redrive({ queue, ids, limit, elsewhere = [], now }) {
      const parameters = { ...(ids && { ids: identifiers.messages(ids) }), limit, elsewhere, now }
      const alone: typeof visit = (move, key, complete) => lanes.visit(move, key, complete, true)
      return onQueue(alone<Moved | Stale>, { move: 'redrive', queue, parameters }, (answer) => {
        const { moved } = answer as Moved
        const movedIds = identifiers.ofMessages(moved.map(([...identity]) => [identity[0], identity[1], identity[2]]))
        return moved.map(([, , , name], i) => ({ id: movedIds[i] as string, queue: name }))
      })
    },

    origins({ queue, ids, limit, now }) {
      const parameters = { ...(ids && { ids: identifiers.messages(ids) }), limit, now }
      return onQueue(
        visit<Origins | Stale>,
        { move: 'origins', queue, parameters },
        (answer) => (answer as Origins).names,
      )
    },

    end: ({ queue, now }) =>
      onQueue(read<End | Stale>, { move: 'queue_end', queue, parameters: { now } }, (answer) => {
        const { incarnation, last } = answer as End
        return identifiers.ofMarker(incarnation, last)
      }),

    export({ queue, after, limit, now }) {
      const parameters = { after: identifiers.position(after), limit, now }
      return onQueue(read<Exported | Stale>, { move: 'export_messages', queue, parameters }, (answer) => {
        const { incarnation, last, messages } = answer as Exported
        const final = messages.at(-1)
        return {
          messages: toWholeMessages(messages, incarnation, identifiers),
          marker: final ? (positionsOf([final], incarnation, identifiers, final[2] === null)[0] as string) : null,
          end: identifiers.ofMarker(incarnation, last),
        }
      })
    },

    import({ queue, messages, end, now }) {
      const arriving = messages.map(({ id, marker, posting, departure, ttlSeconds, clientId, ...others }) => ({
        ...others,
        id: identifiers.message(id),
        place: identifiers.marker(marker),
        posting: identifiers.posting(posting),
        ...(departure !== undefined && { departure: identifiers.departure(departure) }),
        ttl: ttlSeconds,
        client: clientId,
      }))
      const parameters = { messages: arriving, end: identifiers.marker(end), now }
      return onQueue(visit<'stored' | Stale>, { move: 'import_messages', queue, parameters }, (answer) => answer)
    },

    async departures({ after, limit, now }) {
      const start = after === undefined ? {} : { after: identifiers.departure(after) }
      const rows = await lanes.service<DepartureRow[]>('list_departures', { limit, now, ...start })
      return toDepartures(rows, identifiers)
    },

    async departed({ ids }) {
      await lanes.service('delete_departures', { ids: ids.map((id) => identifiers.departure(id)) })
    },
  }
}
