import type { Delivery, Failure, Message, Metadata, PoppedMessage, Stats, Subscription } from './documents.ts'
import { NotFound, ZaqarError } from './errors.ts'
import { BEGINNING } from './follow.ts'
import { markerIn, pagesOf } from './pages.ts'
import { backoff, pause } from './pause.ts'
import { type CallOptions, memberOf, type Requests } from './requests.ts'
import { randomUuid } from './uuid.ts'

export interface PostOptions extends CallOptions {
  /** Seconds; what the queue says where it is not given. */
  readonly ttl?: number
  /** Seconds. The service looks at it where the queue has a default delay. */
  readonly delay?: number
  /** Names the post, so that it can be repeated; made by the client where it is not given. */
  readonly idempotencyKey?: string
}

/** A message to post, with terms of its own. */
export interface NewMessage {
  readonly body: unknown
  readonly ttl?: number
  readonly delay?: number
}

export interface ListOptions extends CallOptions {
  /** Behind which the page begins: `marker` of the page before, or the id of a message. */
  readonly marker?: string | undefined
  readonly limit?: number
  /** Shows what this client posted too; it does where it is not given. */
  readonly echo?: boolean
  readonly includeClaimed?: boolean
  readonly includeDelayed?: boolean
  /** How long the service may wait for something to show, in seconds, up to 20. */
  readonly wait?: number
  /** Each message has its `marker`: a page that begins there goes on behind it. Upstream's service knows of none. */
  readonly withMarkers?: boolean
}

export interface Page<Body = unknown> {
  readonly messages: readonly Message<Body>[]
  /** Where the next page begins; where this one does when it is empty. Undefined: at the beginning. */
  readonly marker: string | undefined
}

export interface FollowOptions extends Omit<ListOptions, 'marker' | 'wait'> {
  /** A marker or the id of a message; the beginning where it is not given. */
  readonly from?: string
  /** Whether to wait for more at the end, for ever. */
  readonly wait?: boolean
}

export interface SubscribeTerms {
  /** URI of who is told. */
  readonly subscriber: string
  /** Seconds. */
  readonly ttl?: number
  readonly options?: Metadata
}

/** One patch of queue metadata. */
export type MetadataChange =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/** Seconds that one request of those who wait for ever waits. */
const LONG_POLL = 20
/** Between two looks where the service does not wait, as upstream's, in milliseconds. */
const POLL_MS = 1_000

/** What is posted to it is told to its subscriptions, and can be listed until its end. A queue can also be claimed from. */
export class Topic {
  readonly name: string
  readonly kind: 'queue' | 'topic'
  protected readonly requests: Requests
  protected readonly path: string

  constructor(requests: Requests, name: string, kind: 'queue' | 'topic' = 'topic') {
    this.requests = requests
    this.name = name
    this.kind = kind
    this.path = `/${kind}s/${encodeURIComponent(name)}`
  }

  /** Reads documents. */
  get parse(): (json: string) => unknown {
    return this.requests.parse
  }

  /** Creates it where it is missing; one that exists stays as it is. True: it was created. */
  async create(metadata: Metadata = {}, options: CallOptions = {}): Promise<boolean> {
    const { status } = await this.send('PUT', '', { body: metadata, ...options })
    return status === 201
  }

  /** Its metadata, with the reserved attributes, which begin with `_`. */
  async metadata(options: CallOptions = {}): Promise<Metadata> {
    return (await this.send('GET', '', options)).document
  }

  /** Changes the metadata; `path` of a change is `/metadata/KEY`. Answers all of them. */
  async update(changes: readonly MetadataChange[], options: CallOptions = {}): Promise<Metadata> {
    const headers = { 'Content-Type': 'application/openstack-messaging-v2.0-json-patch' }
    const answer = await this.send('PATCH', '', { body: changes, headers, isRepeatable: false, ...options })
    return answer.document
  }

  /** With all that is in it. One that does not exist is no error. */
  async delete(options: CallOptions = {}): Promise<void> {
    await this.send('DELETE', '', options)
  }

  /** `detailed`: with delayed messages and rates (an addition of this service). */
  async stats({ detailed, ...call }: CallOptions & { readonly detailed?: boolean } = {}): Promise<Stats> {
    return memberOf(await this.send('GET', '/stats', { query: { detailed }, ...call }), 'messages')
  }

  /** Removes all messages, all subscriptions, or both. */
  async purge(
    what: readonly ('messages' | 'subscriptions')[] = ['messages', 'subscriptions'],
    options: CallOptions = {},
  ): Promise<void> {
    await this.send('POST', '/purge', { body: { resource_types: what }, isRepeatable: true, ...options })
  }

  /** Answers the id of the message. */
  async post(body: unknown, { ttl, delay, ...options }: PostOptions = {}): Promise<string> {
    const [id] = await this.postAll(
      [{ body, ...(ttl !== undefined && { ttl }), ...(delay !== undefined && { delay }) }],
      options,
    )
    return id as string
  }

  /** Posts all or none, in order. Answers their ids. */
  async postAll(
    messages: readonly NewMessage[],
    { idempotencyKey = randomUuid(), ...options }: Omit<PostOptions, 'ttl' | 'delay'> = {},
  ): Promise<string[]> {
    const headers = { 'Idempotency-Key': idempotencyKey }
    const answer = await this.send('POST', '/messages', { body: { messages }, headers, isRepeatable: true, ...options })
    return memberOf<string[]>(answer, 'resources').map((href) => href.slice(href.lastIndexOf('/') + 1))
  }

  /** One page. */
  async list<Body = unknown>(options: ListOptions = {}): Promise<Page<Body>> {
    const { marker: given, limit, echo = true, includeClaimed, includeDelayed, wait, withMarkers, ...call } = options
    // Upstream's Redis cannot list what is claimed without a marker.
    const marker = given ?? (includeClaimed ? BEGINNING : undefined)
    const shown = { echo, include_claimed: includeClaimed, include_delayed: includeDelayed, with_markers: withMarkers }
    const query = { marker, limit, ...shown, wait }
    const answer = await this.send('GET', '/messages', { query, waits: wait, ...call })
    const listed = memberOf<Message<Body>[]>(answer, 'messages')
    // Behind the first message upstream's Redis shows that one again.
    const messages = listed[0]?.id === marker ? listed.slice(1) : listed
    return { messages, marker: messages.length === 0 ? marker : (markerIn(answer) ?? messages.at(-1)?.id) }
  }

  /**
   * All messages in order, each once. With `wait` for ever: it goes on behind the last one when the service was away,
   * and ends with an error only where going on has no sense.
   */
  async *messages<Body = unknown>({
    from,
    wait = false,
    ...options
  }: FollowOptions = {}): AsyncGenerator<Message<Body>> {
    let marker = from
    for (let failures = 0; ; ) {
      const start = Date.now()
      let page: Page<Body>
      try {
        page = await this.list<Body>({ ...options, marker, ...(wait && { wait: LONG_POLL }) })
        failures = 0
      } catch (error) {
        if (!wait || !(error instanceof ZaqarError) || error.isFinal) throw error
        await pause(backoff(failures++, { first: POLL_MS }), options.signal)
        continue
      }
      yield* page.messages
      marker = page.marker
      if (page.messages.length > 0) continue
      if (!wait) return
      if (Date.now() - start < POLL_MS) await pause(POLL_MS, options.signal)
    }
  }

  /**
   * Opens the event stream (an addition of this service): all that comes behind the marker, or from now on, until the
   * signal ends it.
   */
  openEvents(marker: string | undefined, signal: AbortSignal): Promise<Response> {
    return this.requests.open({
      path: `${this.path}/messages`,
      query: { marker, echo: true, include_claimed: true },
      headers: { Accept: 'text/event-stream' },
      signal,
    })
  }

  /** Null: not there (any more). */
  async get<Body = unknown>(id: string, options: CallOptions = {}): Promise<Message<Body> | null> {
    return orNull(async () => (await this.send('GET', `/messages/${encodeURIComponent(id)}`, options)).document)
  }

  /** Those that are there, in the order asked for. */
  async getAll<Body = unknown>(ids: readonly string[], options: CallOptions = {}): Promise<Message<Body>[]> {
    // No ids at all would be a listing.
    if (ids.length === 0) return []
    const answer = await orNull(() => this.send('GET', '/messages', { query: { ids }, ...options }))
    return answer === null ? [] : memberOf(answer, 'messages')
  }

  /** One that is not there is no error. `claimId`: of the claim that holds it. @throws Forbidden when another one does */
  async deleteMessage(id: string, claimId?: string, options: CallOptions = {}): Promise<void> {
    await this.send('DELETE', `/messages/${encodeURIComponent(id)}`, { query: { claim_id: claimId }, ...options })
  }

  /** Claimed ones too. `claimIds`: where the service insists on claims. */
  async deleteMessages(ids: readonly string[], claimIds?: readonly string[], options: CallOptions = {}): Promise<void> {
    if (ids.length === 0) return
    await this.send('DELETE', '/messages', { query: { ids, claim_ids: claimIds }, ...options })
  }

  /** Reads and deletes the oldest at once: an answer that is lost takes them along. */
  async pop<Body = unknown>(count = 1, options: CallOptions = {}): Promise<PoppedMessage<Body>[]> {
    const answer = await this.send('DELETE', '/messages', { query: { pop: count }, isRepeatable: false, ...options })
    return memberOf(answer, 'messages')
  }

  /** All subscriptions. */
  subscriptions(options: CallOptions & { readonly limit?: number } = {}): AsyncGenerator<Subscription, void> {
    const { limit, ...call } = options
    return pagesOf(this.requests, { path: `${this.path}/subscriptions`, query: { limit }, key: 'subscriptions' }, call)
  }

  /** Tells a subscriber of each message. Answers the id of the subscription. @throws Conflict when it is there already */
  async addSubscription(terms: SubscribeTerms, options: CallOptions = {}): Promise<string> {
    const answer = await this.send('POST', '/subscriptions', { body: terms, isRepeatable: false, ...options })
    return memberOf(answer, 'subscription_id')
  }

  /** Null: not there. */
  async subscription(id: string, options: CallOptions = {}): Promise<Subscription | null> {
    return orNull(async () => (await this.send('GET', subscriptionPath(id), options)).document)
  }

  async updateSubscription(id: string, terms: Partial<SubscribeTerms>, options: CallOptions = {}): Promise<void> {
    await this.send('PATCH', subscriptionPath(id), { body: terms, ...options })
  }

  /** `confirmed` false takes a confirmation back. */
  async confirmSubscription(id: string, confirmed = true, options: CallOptions = {}): Promise<void> {
    await this.send('PUT', `${subscriptionPath(id)}/confirm`, { body: { confirmed }, ...options })
  }

  async deleteSubscription(id: string, options: CallOptions = {}): Promise<void> {
    await this.send('DELETE', subscriptionPath(id), options)
  }

  /** Messages of which a subscription was told in vain. */
  failures(id: string, options: CallOptions & { readonly limit?: number } = {}): AsyncGenerator<Failure, void> {
    const { limit, ...call } = options
    const path = `${this.path}${subscriptionPath(id)}/failures`
    return pagesOf(this.requests, { path, query: { limit }, key: 'failures' }, call)
  }

  /** Delivers failed messages again: all, those with these ids, or those that failed since then (ISO 8601). */
  async replay(
    id: string,
    which: { readonly ids?: readonly string[]; readonly since?: string } = {},
    options: CallOptions = {},
  ): Promise<{ readonly replayed: readonly string[]; readonly done: boolean }> {
    const answer = await this.send('POST', `${subscriptionPath(id)}/replay`, {
      body: which,
      isRepeatable: true,
      ...options,
    })
    return answer.document
  }

  /** The latest deliveries. */
  async deliveries(id: string, options: CallOptions = {}): Promise<readonly Delivery[]> {
    return memberOf(await this.send('GET', `${subscriptionPath(id)}/deliveries`, options), 'deliveries')
  }

  /** Makes a new secret that notifications are signed with. The one before signs as well, until `previous_until`. */
  async makeSecret(
    id: string,
    options: CallOptions = {},
  ): Promise<{ readonly secret: string; readonly previous_until: string | null }> {
    return (await this.send('POST', `${subscriptionPath(id)}/secret`, { isRepeatable: false, ...options })).document
  }

  async deleteSecret(id: string, options: CallOptions = {}): Promise<void> {
    await this.send('DELETE', `${subscriptionPath(id)}/secret`, options)
  }

  protected send(method: string, rest: string, more: Partial<Parameters<Requests['send']>[0]>) {
    return this.requests.send({ method, path: `${this.path}${rest}`, isRepeatable: true, ...more })
  }
}

function subscriptionPath(id: string): string {
  return `/subscriptions/${encodeURIComponent(id)}`
}

/** Null where what is asked for is not there. */
export async function orNull<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}
