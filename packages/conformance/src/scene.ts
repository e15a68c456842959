import assert from 'node:assert/strict'
import type {
  ArrivingMessage,
  Claim,
  Departure,
  Exchanged,
  FinishedMessage,
  Instant,
  Message,
  NewMessage,
  Queue,
  QueueHandle,
  QueueKey,
  Stale,
  Storage,
  WholeMessage,
} from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import type { ManualClock } from './clock.ts'
import type { OpenedClients } from './opened-clients.ts'

type ListTerms = Parameters<Storage['messages']['list']>[0]
type ClaimTerms = Parameters<Storage['claims']['create']>[0]
type ExportedPage = Exclude<Awaited<ReturnType<Storage['messages']['export']>>, Stale>
type PopTerms = Parameters<Storage['messages']['pop']>[0]

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

  async renew(queue: QueueHandle, claimId: string, ttlSeconds = 300, graceSeconds = 60): Promise<boolean> {
    return fresh(await this.storage.claims.renew({ queue, claimId, ttlSeconds, graceSeconds, now: this.now }))
  }

  async release(queue: QueueHandle, claimId: string): Promise<void> {
    fresh(await this.storage.claims.release({ queue, claimId, now: this.now }))
  }

  async stats(queue: QueueHandle) {
    return fresh(await this.storage.queues.stats({ queue, now: this.now }))
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
