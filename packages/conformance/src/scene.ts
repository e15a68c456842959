import assert from 'node:assert/strict'
import type {
  ArrivingMessage,
  Claim,
  Departure,
  Exchanged,
  Failure,
  FinishedMessage,
  Instant,
  Lease,
  ListedClaims,
  Message,
  NewMessage,
  Notification,
  Outcome,
  Queue,
  QueueHandle,
  QueueKey,
  Stale,
  Storage,
  Subscription,
  WholeMessage,
} from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import type { ManualClock } from './clock.ts'
import type { OpenedClients } from './opened-clients.ts'

type ListTerms = Parameters<Storage['messages']['list']>[0]
type ClaimTerms = Parameters<Storage['claims']['create']>[0]
type ExportedPage = Exclude<Awaited<ReturnType<Storage['messages']['export']>>, Stale>
type PopTerms = Parameters<Storage['messages']['pop']>[0]
type SubscribeTerms = Parameters<Storage['subscriptions']['create']>[0]
type LeaseTerms = Parameters<Storage['deliveries']['lease']>[0]
type SettleTerms = Parameters<Storage['deliveries']['settle']>[0]
type ReplayTerms = Parameters<Storage['deliveries']['replay']>[0]

/**
 * A fresh store and the words that cases speak in. Each asks at the present instant of the clock, with terms that a
 * case need not care about filled in, and fails where the answer is `STALE`.
 */
export class Scene {
  readonly clients: OpenedClients
  readonly clock: ManualClock

  constructor(clients: OpenedClients, clock: ManualClock) {
    this.clients = clients
    this.clock = clock
  }

  get storage(): Storage {
    return this.clients.current
  }

  get now(): Instant {
    return this.clock.now()
  }

  /** Of another store, to which queues of this one can move. */
  async peer(): Promise<Scene> {
    return new Scene(await this.clients.peer(), this.clock)
  }

  pass(seconds: number): void {
    this.clock.advance(seconds * 1000)
  }

  /** To the last millisecond before the time is over. */
  passAlmost(seconds: number): void {
    this.clock.advance(seconds * 1000 - 1)
  }

  async queue(name = 'jobs', { project = 'alpha', kind = 'queue' }: Partial<QueueKey> = {}): Promise<Queue> {
    const key = { project, kind, name }
    const { queue } = await this.storage.queues.create({ key, metadata: '{}', now: this.now })
    return queue
  }

  /** One POST of several messages with these words for bodies. Answers their ids. */
  async post(queue: QueueHandle, ...words: readonly string[]): Promise<string[]> {
    return this.postWith(queue, {}, ...words)
  }

  async postWith(
    queue: QueueHandle,
    { clientId = 'poster', ttlSeconds = 3600, delaySeconds = 0 }: Partial<NewMessage & { clientId: string }>,
    ...words: readonly string[]
  ): Promise<string[]> {
    const messages = words.map((word) => ({ body: JSON.stringify(word), ttlSeconds, delaySeconds }))
    const answer = fresh(await this.storage.messages.append({ queue, clientId, messages, now: this.now }))
    assert(answer !== 'conflict')
    return answer.ids
  }

  async postOne(
    queue: QueueHandle,
    word: string,
    terms: Partial<NewMessage & { clientId: string }> = {},
  ): Promise<string> {
    const [id] = await this.postWith(queue, terms, word)
    assert(id !== undefined)
    return id
  }

  async list(
    queue: QueueHandle,
    terms: Partial<ListTerms> = {},
  ): Promise<{ messages: Message[]; marker: string | null }> {
    return fresh(
      await this.storage.messages.list({
        queue,
        after: null,
        limit: 100,
        hideClientId: null,
        includeClaimed: false,
        includeDelayed: false,
        now: this.now,
        ...terms,
      }),
    )
  }

  /** The words of a page. */
  async listed(queue: QueueHandle, terms: Partial<ListTerms> = {}): Promise<string[]> {
    const { messages } = await this.list(queue, terms)
    return wordsOf(messages)
  }

  /** The words of a page that shows also what is gone, and what is claimed. */
  async listedWithGone(queue: QueueHandle, terms: Partial<ListTerms> = {}): Promise<string[]> {
    return this.listed(queue, { includeClaimed: true, includeGone: true, ...terms })
  }

  async get(queue: QueueHandle, ...ids: readonly string[]): Promise<Message[]> {
    return fresh(await this.storage.messages.get({ queue, ids, now: this.now }))
  }

  async getOne(queue: QueueHandle, id: string): Promise<Message> {
    const [message] = await this.get(queue, id)
    assert(message, `message ${id} is gone`)
    return message
  }

  async delete(queue: QueueHandle, id: string, claimId: string | null = null) {
    return fresh(await this.storage.messages.delete({ queue, id, claimId, now: this.now }))
  }

  async deleteMany(queue: QueueHandle, ids: readonly string[], claimIds: readonly string[] | null = null) {
    return fresh(await this.storage.messages.deleteMany({ queue, ids, claimIds, now: this.now }))
  }

  /** The words of what was popped. */
  async pop(queue: QueueHandle, limit = 100, terms: Partial<PopTerms> = {}): Promise<string[]> {
    return wordsOf(fresh(await this.storage.messages.pop({ queue, limit, deadLetter: null, now: this.now, ...terms })))
  }

  async redrive(
    queue: QueueHandle,
    terms: { ids?: readonly string[]; limit?: number; elsewhere?: readonly string[] } = {},
  ) {
    const { ids = null, limit = 100, elsewhere } = terms
    return fresh(await this.storage.messages.redrive({ queue, ids, limit, elsewhere, now: this.now }))
  }

  /** Fails where nothing was there to claim. */
  async claim(queue: QueueHandle, terms: Partial<ClaimTerms> = {}): Promise<Claim> {
    const claim = await this.tryClaim(queue, terms)
    assert(claim, 'there was nothing to claim')
    return claim
  }

  async tryClaim(queue: QueueHandle, terms: Partial<ClaimTerms> = {}): Promise<Claim | null> {
    return fresh(
      await this.storage.claims.create({
        queue,
        limit: 100,
        ttlSeconds: 300,
        graceSeconds: 60,
        deadLetter: null,
        now: this.now,
        ...terms,
      }),
    )
  }

  /** The words of what a new claim holds; none where it found nothing. */
  async claimed(queue: QueueHandle, terms: Partial<ClaimTerms> = {}): Promise<string[]> {
    const claim = await this.tryClaim(queue, terms)
    return wordsOf(claim?.messages ?? [])
  }

  /** Finish and take, with the claim that holds what is finished. */
  async exchange(
    queue: QueueHandle,
    finished: readonly FinishedMessage[],
    terms: Partial<ClaimTerms> = {},
  ): Promise<Exchanged | { readonly kept: string[] }> {
    const { storage, now } = this
    const usual = { limit: 100, ttlSeconds: 300, graceSeconds: 60, deadLetter: null }
    return fresh(await storage.claims.exchange({ queue, finished, ...usual, now, ...terms }))
  }

  /** The whole queue, page by page; and its end. */
  async export(queue: QueueHandle, limit = 2): Promise<{ messages: WholeMessage[]; end: string }> {
    const messages: WholeMessage[] = []
    for (let after: string | null = null; ; ) {
      const page: ExportedPage = fresh(await this.storage.messages.export({ queue, after, limit, now: this.now }))
      messages.push(...page.messages)
      if (page.marker === null) return { messages, end: page.end }
      after = page.marker
    }
  }

  async import(queue: QueueHandle, messages: readonly ArrivingMessage[], end: string | null = null): Promise<void> {
    assert.equal(await this.storage.messages.import({ queue, messages, end, now: this.now }), 'stored')
  }

  async end(queue: QueueHandle): Promise<string> {
    return fresh(await this.storage.messages.end({ queue, now: this.now }))
  }

  async departures(limit = 100): Promise<Departure[]> {
    return this.storage.messages.departures({ limit, now: this.now })
  }

  async departed(...departures: readonly Departure[]): Promise<void> {
    await this.storage.messages.departed({ ids: departures.map(({ id }) => id), now: this.now })
  }

  async getClaim(queue: QueueHandle, claimId: string): Promise<Claim | null> {
    return fresh(await this.storage.claims.get({ queue, claimId, now: this.now }))
  }

  async claims(queue: QueueHandle, terms: { after?: string | null; limit?: number } = {}): Promise<ListedClaims> {
    return fresh(await this.storage.claims.list({ queue, after: null, limit: 100, now: this.now, ...terms }))
  }

  async renew(queue: QueueHandle, claimId: string, ttlSeconds = 300, graceSeconds = 60): Promise<boolean> {
    return fresh(await this.storage.claims.renew({ queue, claimId, ttlSeconds, graceSeconds, now: this.now }))
  }

  async release(queue: QueueHandle, claimId: string): Promise<void> {
    fresh(await this.storage.claims.release({ queue, claimId, now: this.now }))
  }

  async stats(queue: QueueHandle, countDelayed?: number) {
    return fresh(await this.storage.queues.stats({ queue, countDelayed, now: this.now }))
  }

  /** A new one, which listens unless terms say otherwise, with a subscriber of its own. */
  async subscribe(queue: QueueHandle, id = 's', terms: Partial<SubscribeTerms> = {}): Promise<Subscription> {
    const usual = { subscriber: `http://${id}.example/`, ttlSeconds: 86_400, options: '{}' }
    const answer = await this.storage.subscriptions.create({
      queue,
      id,
      ...usual,
      isListening: true,
      vault: null,
      now: this.now,
      ...terms,
    })
    const { created, subscription } = fresh(answer)
    assert(created, `there is a subscription of ${subscription.subscriber} already`)
    return subscription
  }

  /** Confirms it, or takes that back; it listens from then on, or not. */
  async confirm(queue: QueueHandle, id: string, isListening: boolean): Promise<void> {
    const { storage, now } = this
    assert.equal(await storage.subscriptions.confirm({ queue, id, confirmed: isListening, isListening, now }), true)
  }

  async subscription(queue: QueueHandle, id = 's'): Promise<Subscription | null> {
    return fresh(await this.storage.subscriptions.get({ queue, id, now: this.now }))
  }

  async unsubscribe(queue: QueueHandle, id = 's'): Promise<void> {
    fresh(await this.storage.subscriptions.delete({ queue, id, now: this.now }))
  }

  /** For a minute, and as much as there is. */
  async lease(terms: Partial<LeaseTerms> = {}): Promise<{ leases: Lease[]; next: Instant | null }> {
    const batch = { notifications: 100, bytes: 1_000_000 }
    return this.storage.deliveries.lease({ limit: 1000, seconds: 60, batch, now: this.now, ...terms })
  }

  /** Fails unless it is exactly one. */
  async leaseOne(terms: Partial<LeaseTerms> = {}): Promise<Lease> {
    const { leases } = await this.lease(terms)
    assert.equal(leases.length, 1, 'one subscription can be leased')
    return leases[0] as Lease
  }

  /** Ends the lease, with nothing settled, unless terms say otherwise. */
  async trySettle(lease: Lease, terms: Partial<SettleTerms> = {}) {
    return this.storage.deliveries.settle({
      lease,
      outcomes: [],
      log: [],
      keep: { log: 10, failures: 10 },
      health: lease.subscription.health,
      next: null,
      restsUntil: null,
      now: this.now,
      ...terms,
    })
  }

  /** Fails where the lease is lost. */
  async settle(lease: Lease, terms: Partial<SettleTerms> = {}) {
    const answer = await this.trySettle(lease, terms)
    assert(answer !== 'lost', 'the lease is lost')
    return answer
  }

  /** Fails unless the lease is lost; says with it all that a settlement can change. */
  async settleInVain(lease: Lease): Promise<void> {
    const [first, ...others] = lease.notifications
    assert(first)
    const until = this.now + 600_000
    const answer = await this.trySettle(lease, {
      outcomes: [...done([first]), ...failed(others, until)],
      log: ['"lost"'],
      health: { failures: 7, failingSince: this.now, pausedUntil: null },
      restsUntil: until,
    })
    assert.equal(answer, 'lost')
  }

  /** All that was handed out is delivered, and the lease ends. */
  async finish(lease: Lease, terms: Partial<SettleTerms> = {}) {
    return this.settle(lease, { outcomes: done(lease.notifications), ...terms })
  }

  /** The words of what can be leased by now, for each subscription. They are owed as before. */
  async owed(): Promise<Record<string, string[]>> {
    const { leases } = await this.lease()
    for (const lease of leases) await this.settle(lease)
    return notified(leases)
  }

  /** Delivers all that can be leased by now, and says it for each subscription. */
  async deliver(): Promise<Record<string, string[]>> {
    const { leases } = await this.lease()
    for (const lease of leases) await this.finish(lease)
    return notified(leases)
  }

  async announce(queue: QueueHandle, text: string, id = 's'): Promise<boolean> {
    return fresh(await this.storage.deliveries.announce({ queue, id, text, now: this.now }))
  }

  async failures(
    queue: QueueHandle,
    { id = 's', after = null, limit = 100 }: { id?: string; after?: string | null; limit?: number } = {},
  ): Promise<{ failures: Failure[]; marker: string | null }> {
    const page = fresh(await this.storage.deliveries.failures({ queue, id, after, limit, now: this.now }))
    assert(page, 'there is no such subscription')
    return page
  }

  /** The words of what failed. */
  async failed(queue: QueueHandle, terms: Parameters<Scene['failures']>[1] = {}): Promise<string[]> {
    const { failures } = await this.failures(queue, terms)
    return wordsOf(failures.map(({ message }) => message))
  }

  async replay(queue: QueueHandle, terms: Partial<ReplayTerms> = {}): Promise<string[]> {
    const usual = { id: 's', messageIds: null, since: null, limit: 100 }
    const ids = fresh(await this.storage.deliveries.replay({ queue, ...usual, now: this.now, ...terms }))
    assert(ids, 'there is no such subscription, or it does not listen')
    return ids
  }

  async log(queue: QueueHandle, id = 's'): Promise<string[]> {
    const log = fresh(await this.storage.deliveries.log({ queue, id, now: this.now }))
    assert(log, 'there is no such subscription')
    return log
  }
}

export function fresh<Answer>(answer: Answer | Stale): Answer {
  assert.notEqual(answer, STALE)
  return answer as Answer
}

export function wordsOf(messages: readonly Pick<Message, 'body'>[]): string[] {
  return messages.map((message) => JSON.parse(message.body))
}

export function idsOf(messages: readonly Message[]): string[] {
  return messages.map((message) => message.id)
}

/** The words of notifications: of a message its body, of an announcement its text. */
export function toldBy(notifications: readonly Notification[]): string[] {
  return notifications.map(({ content }) =>
    content.kind === 'message' ? JSON.parse(content.message.body) : content.text,
  )
}

export function done(notifications: readonly Notification[]): Outcome[] {
  return notifications.map(({ ref }) => ({ ref, became: 'done' }))
}

/** Each is to be tried again at that instant. */
export function postponed(notifications: readonly Notification[], until: Instant, attempts = '[1]'): Outcome[] {
  return notifications.map(({ ref }) => ({ ref, became: 'postponed', until, attempts }))
}

/** Each has failed at last, and is recorded until that instant. */
export function failed(notifications: readonly Notification[], expiresAt: Instant, attempts = '[1, 2]'): Outcome[] {
  return notifications.map(({ ref }) => ({ ref, became: 'failed', attempts, expiresAt }))
}

function notified(leases: readonly Lease[]): Record<string, string[]> {
  return Object.fromEntries(leases.map(({ subscription, notifications }) => [subscription.id, toldBy(notifications)]))
}
