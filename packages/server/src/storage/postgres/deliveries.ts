import type { Instant, Notification, QueueKey } from '../../model/model.ts'
import type { DeliveryStore, Lease, Outcome, Stale } from '../contract.ts'
import { parseRef, refOf } from '../notification-refs.ts'
import { type Engine, onQueue } from './engine.ts'
import type { Identifiers } from './identifiers.ts'
import { type SubscriptionRow, storableId, toSubscription } from './subscriptions.ts'

/** A notification as the SQL function `shown_notification` answers it; of an announcement only what has a value. */
type NotificationRow = [
  ref: number,
  idIncarnation: number | null,
  idNumber: number | null,
  /** Of an announcement its text. */
  body: string,
  clientId: string | null,
  ttlSeconds: number | null,
  delaySeconds: number | null,
  createdAt: Instant | null,
  since: Instant,
  attempts: string | null,
]
type Found = { queues: [project: string, kind: 'queue' | 'topic', name: string][]; next: Instant | null }
type Leased = {
  metadata: string
  version: number
  leases: [lease: number, subscription: SubscriptionRow, notifications: NotificationRow[]][]
  next: Instant | null
}
type Settled = { subscription: SubscriptionRow; notifications: NotificationRow[] }
type FailureRow = [place: number, notification: NotificationRow, failedAt: Instant]
type ReplayedRow = [idIncarnation: number, idNumber: number, createdAt: Instant]
type LeaseTerms = Parameters<DeliveryStore['lease']>[0]

/** Queues from which one round of leases takes. */
const QUEUES_AT_ONCE = 64
const NUMBER = /^[0-9]{1,15}$/

export function createDeliveryStore(engine: Engine): DeliveryStore {
  const { lanes, identifiers } = engine
  const write = lanes.write.bind(lanes)
  const read = lanes.read.bind(lanes)

  return {
    async lease({ limit, ...terms }) {
      const leases: Lease[] = []
      for (;;) {
        const round = await leaseSome(engine, { ...terms, limit: limit - leases.length }).catch((error) => {
          // What others have leased by now would be lost with them.
          if (leases.length === 0) throw error
          return { leases: [], next: terms.now }
        })
        leases.push(...round.leases)
        const isDone = round.leases.length === 0 || leases.length >= limit
        if (isDone || round.next === null || round.next > terms.now) return { leases, next: round.next }
      }
    },

    async settle({ lease, outcomes, log, keep, health, next, restsUntil, now }) {
      if (!NUMBER.test(lease.id)) return 'lost'
      const parameters = {
        id: lease.subscription.id,
        lease: lease.id,
        outcomes: outcomes.flatMap((outcome) => {
          const number = parseRef(outcome.ref)?.number
          return number === undefined ? [] : [[number, outcome.became, ...termsOf(outcome)]]
        }),
        log,
        keepLog: keep.log,
        keepFailures: keep.failures,
        health: health && JSON.stringify(health),
        subscriber: lease.subscription.subscriber,
        next,
        restsUntil,
        now,
      }
      const answer = await write<Settled | 'lost'>('settle_lease', lease.queue, parameters)
      if (answer === 'lost') return answer
      const { subscription, notifications } = answer as Settled
      const goesOn = next !== null && notifications.length > 0
      return {
        subscription: toSubscription(lease.queue, subscription),
        notifications: toNotifications(notifications, identifiers),
        endsAt: goesOn ? now + next.seconds * 1000 : now,
      }
    },

    announce({ queue, id, text, now }) {
      const parameters = { id: storableId(id), text, now }
      return onQueue(write<boolean | Stale>, { move: 'announce', queue, parameters }, (answer) => answer)
    },

    failures({ queue, id, after, limit, now }) {
      const parameters = { id: storableId(id), after: identifiers.failure(after, queue, id), limit, now }
      return onQueue(read<FailureRow[] | null | Stale>, { move: 'list_failures', queue, parameters }, (answer) => {
        if (answer === null) return null
        const failures = answer as FailureRow[]
        const notifications = toNotifications(
          failures.map(([, row]) => row),
          identifiers,
        )
        const end = failures.at(-1)
        return {
          failures: notifications.flatMap(({ content, since, attempts }, i) => {
            const [, , failedAt] = failures[i] as FailureRow
            return content.kind === 'message'
              ? { message: content.message, since, attempts: attempts ?? '', failedAt }
              : []
          }),
          marker: end ? identifiers.ofFailure(queue, id, end[0]) : null,
        }
      })
    },

    replay({ queue, id, messageIds, since, limit, now }) {
      const chosen = messageIds === null ? { limit } : { ids: identifiers.messages(messageIds) }
      const parameters = { id: storableId(id), ...chosen, since, now }
      return onQueue(
        write<ReplayedRow[] | null | Stale>,
        { move: 'replay_failures', queue, parameters },
        (answer) => answer && identifiers.ofMessages(answer as ReplayedRow[]),
      )
    },

    log({ queue, id, now }) {
      const parameters = { id: storableId(id), now }
      return onQueue(read<string[] | null | Stale>, { move: 'get_log', queue, parameters }, (answer) => answer)
    },
  }
}

/**
 * One round over queues that have work: each gives its part of what is wanted, so that one with many subscriptions
 * holds no other up. Queues have transactions of their own, so what some have leased is answered though others fail.
 */
async function leaseSome(engine: Engine, terms: LeaseTerms): ReturnType<DeliveryStore['lease']> {
  const { limit, now } = terms
  const most = Math.min(limit, QUEUES_AT_ONCE)
  const found = await engine.lanes.service<Found>('find_work', { limit: most + 1, now })
  const queues = found.queues.slice(0, most).map(([project, kind, name]) => ({ project, kind, name }))
  const rounds = await Promise.allSettled(
    queues.map((key, i) => leaseIn(engine, key, { ...terms, limit: Math.floor((limit + i) / queues.length) })),
  )
  const leased = rounds.flatMap((round) => (round.status === 'fulfilled' ? round.value : []))
  const failed = rounds.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected' && leased.every(({ leases }) => leases.length === 0)) throw failed.reason
  const isMore = found.queues.length > most || failed !== undefined
  const instants = [found.next, ...leased.map(({ next }) => next), isMore ? now : null].filter((at) => at !== null)
  return {
    leases: leased.flatMap(({ leases }) => leases),
    next: instants.length === 0 ? null : Math.max(now, Math.min(...instants)),
  }
}

/** Of one queue. */
async function leaseIn(
  { lanes, identifiers }: Engine,
  key: QueueKey,
  { limit, seconds, batch, now }: LeaseTerms,
): ReturnType<DeliveryStore['lease']> {
  const answer = await lanes.write<Leased | null>('lease_subscriptions', key, { limit, seconds, batch, now })
  if (answer === null) return { leases: [], next: null }
  const { metadata, version, leases, next } = answer
  const queue = { ...key, metadata, version: String(version) }
  return {
    leases: leases.map(([lease, subscription, notifications]) => ({
      id: String(lease),
      queue,
      subscription: toSubscription(key, subscription),
      endsAt: now + seconds * 1000,
      notifications: toNotifications(notifications, identifiers),
    })),
    next,
  }
}

function termsOf(outcome: Outcome): [until: Instant | null, attempts: string | null] {
  if (outcome.became === 'done') return [null, null]
  return [outcome.became === 'failed' ? outcome.expiresAt : outcome.until, outcome.attempts]
}

function toNotifications(rows: readonly NotificationRow[], identifiers: Identifiers): Notification[] {
  const ids = identifiers.ofMessages(
    rows.flatMap(([, incarnation, number, , , , , createdAt]) =>
      incarnation === null || number === null || createdAt === null ? [] : [[incarnation, number, createdAt] as const],
    ),
  )
  return rows.map(([ref, , , body, clientId, ttlSeconds, delaySeconds, createdAt, since, attempts]) => {
    const rest = { since, attempts }
    if (clientId === null || ttlSeconds === null || delaySeconds === null || createdAt === null) {
      return { ...rest, ref: refOf(ref, 'announcement'), content: { kind: 'announcement', text: body } }
    }
    const message = { id: ids.shift() as string, body, clientId, ttlSeconds, delaySeconds, createdAt }
    return { ...rest, ref: refOf(ref, 'message'), content: { kind: 'message', message } }
  })
}
