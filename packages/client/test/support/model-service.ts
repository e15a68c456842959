import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'

/** What becomes of a request: it does not arrive, it cannot be served, or its answer does not arrive. */
export type Fate = 'served' | 'lost' | 'refused' | 'answer lost'

export interface SentRequest {
  readonly method: string
  /** Below the queue. */
  readonly path: string
  readonly query: URLSearchParams
  readonly key: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: documents of requests, of which tests know what is in them.
  readonly body: any
}

export interface ModelMessage {
  readonly id: string
  readonly body: unknown
  claimId: string | null
  claimCount: number
}

const POLL_MS = 100
/** Messages of a listing, at the most. */
const PAGE = 10

/** One queue, as the service would serve it, in the clock of the test. */
export class ModelService {
  readonly sent: SentRequest[] = []
  /** In the order of posting. */
  messages: ModelMessage[] = []
  /** The most messages that live claims have held at the same time. */
  mostHeld = 0
  fateOf: (request: SentRequest) => Fate = () => 'served'
  /** Answers instead of the model; undefined: it does not. */
  instead: (request: SentRequest) => Response | undefined = () => undefined
  /** Whether it is as upstream: it does not know finishing and taking, keys, waiting, and event streams. */
  isUpstream = false
  readonly #claims = new Map<string, { endsAt: number; readonly key: string | undefined }>()
  #posted = 0
  #claimed = 0

  post(...bodies: readonly unknown[]): string[] {
    const messages = bodies.map((body) => ({ id: `m${++this.#posted}`, body, claimId: null, claimCount: 0 }))
    this.messages.push(...messages)
    return messages.map(({ id }) => id)
  }

  /** All claims end, as if their time were over. */
  endClaims(): void {
    this.#claims.clear()
  }

  deleteQueue(): void {
    this.messages = []
    this.endClaims()
  }

  held(): ModelMessage[] {
    return this.messages.filter(({ claimId }) => this.#isLive(claimId))
  }

  fetch: typeof globalThis.fetch = async (input, { method = 'GET', headers = {}, body, signal } = {}) => {
    const { pathname, searchParams } = new URL(String(input))
    const request: SentRequest = {
      method,
      path: pathname.replace('/v2/queues/jobs', ''),
      query: searchParams,
      key: (headers as Record<string, string>)['Idempotency-Key'],
      body: body === undefined ? undefined : JSON.parse(body as string),
    }
    this.sent.push(request)
    const fate = this.fateOf(request)
    if (fate === 'lost') throw new TypeError('fetch failed')
    if (fate === 'refused') return answer(503)
    const served = this.instead(request) ?? (await this.#serve(request, signal ?? undefined, fate))
    signal?.throwIfAborted()
    if (fate === 'answer lost') throw new TypeError('fetch failed')
    return served
  }

  async #serve(request: SentRequest, signal: AbortSignal | undefined, fate: Fate): Promise<Response> {
    const { method, path, query } = request
    const [, collection, id] = path.split('/')
    if (collection === 'claims' && method === 'POST') return this.#claim(request, signal, fate)
    if (collection === 'claims')
      return method === 'PATCH' ? this.#renew(id as string, request) : this.#release(id as string)
    if (method === 'POST') return this.#post(request)
    if (method === 'GET') return this.#list(request)
    if (id !== undefined) return this.#delete(id, query.get('claim_id'))
    const ids = query.getAll('ids')
    this.messages = this.messages.filter((message) => !ids.includes(message.id))
    return answer(204)
  }

  #post({ body }: SentRequest): Response {
    const ids = this.post(...body.messages.map((message: { body: unknown }) => message.body))
    return answer(201, { resources: ids.map((id) => `/v2/queues/jobs/messages/${id}`) })
  }

  /** As upstream lists: a marker is a number, and of the last message of a page alone. */
  #list({ query }: SentRequest): Response {
    const marker = Number(query.get('marker') ?? 0)
    const page = this.messages
      .filter(({ id, claimId }) => numberOf(id) > marker && (query.has('include_claimed') || !this.#isLive(claimId)))
      .slice(0, PAGE)
    const last = page.at(-1)
    const href = `/v2/queues/jobs/messages?marker=${last === undefined ? marker : numberOf(last.id)}`
    const messages = page.map(({ id, body }) => ({
      id,
      href: `/v2/queues/jobs/messages/${id}`,
      ttl: 300,
      age: 0,
      body,
    }))
    return answer(200, { messages, links: [{ rel: 'next', href }] })
  }

  async #claim(request: SentRequest, signal: AbortSignal | undefined, fate: Fate): Promise<Response> {
    const { query, body, key } = request
    if (this.isUpstream) return this.#attempt(request) ?? answer(204)
    const finished: { id: string; claim_id: string }[] = body.delete ?? []
    const found = finished.map(({ id, claim_id }) => ({ claim_id, message: this.messages.find((m) => m.id === id) }))
    if (found.some(({ message, claim_id }) => message && !this.#holds(claim_id, message))) return answer(403, NOT_HELD)
    const ids = finished.map(({ id }) => id)
    const gone = ids.filter((id) => !this.messages.some((message) => message.id === id))
    this.messages = this.messages.filter(({ id }) => !ids.includes(id))
    const end = Date.now() + Number(query.get('wait') ?? 0) * 1000
    for (;;) {
      const again = [...this.#claims].find(([id, claim]) => key !== undefined && claim.key === key && this.#isLive(id))
      const found = again === undefined ? this.#attempt(request, gone) : this.#shown(again[0], gone)
      if (found !== null) return found
      if (Date.now() >= end || signal?.aborted) return answer(200, { messages: [], gone })
      await new Promise<void>((resolve) => {
        setTimeout(resolve, POLL_MS)
        signal?.addEventListener('abort', () => resolve(), { once: true })
      })
      // Whether the service still takes something when its client is going is a matter of luck.
      if (signal?.aborted && fate !== 'answer lost') signal.throwIfAborted()
    }
  }

  #attempt({ query, body, key }: SentRequest, gone?: readonly string[]): Response | null {
    const free = this.messages.filter(({ claimId }) => !this.#isLive(claimId)).slice(0, Number(query.get('limit')))
    if (free.length === 0) return null
    const id = `c${++this.#claimed}`
    this.#claims.set(id, { endsAt: Date.now() + body.ttl * 1000, key })
    for (const message of free) {
      message.claimId = id
      message.claimCount += 1
    }
    this.mostHeld = Math.max(this.mostHeld, this.held().length)
    return this.#shown(id, gone)
  }

  #shown(claimId: string, gone: readonly string[] | undefined): Response {
    const messages = this.messages
      .filter((message) => message.claimId === claimId)
      .map(({ id, body }) => ({
        id,
        href: `/v2/queues/jobs/messages/${id}?claim_id=${claimId}`,
        ttl: 300,
        age: 0,
        body,
      }))
    return answer(201, { messages, gone })
  }

  #renew(id: string, { body }: SentRequest): Response {
    const claim = this.#claims.get(id)
    if (claim === undefined || !this.#isLive(id)) return answer(404, { title: 'Not found' })
    claim.endsAt = Date.now() + body.ttl * 1000
    return answer(204)
  }

  #release(id: string): Response {
    this.#claims.delete(id)
    return answer(204)
  }

  #delete(id: string, claimId: string | null): Response {
    const message = this.messages.find((message) => message.id === id)
    if (message === undefined) return answer(204)
    if (!this.#holds(claimId, message)) return answer(this.#isLive(message.claimId) ? 403 : 400, NOT_HELD)
    this.messages = this.messages.filter((other) => other !== message)
    return answer(204)
  }

  #holds(claimId: string | null, message: ModelMessage): boolean {
    return message.claimId === claimId && this.#isLive(claimId)
  }

  #isLive(claimId: string | null): boolean {
    const claim = claimId === null ? undefined : this.#claims.get(claimId)
    return claim !== undefined && Date.now() < claim.endsAt && this.messages.some((m) => m.claimId === claimId)
  }
}

/** The order of posting. */
function numberOf(id: string): number {
  return Number(id.slice(1))
}

const NOT_HELD = { title: 'Unable to delete' }

export function answer(status: number, body?: unknown): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), { status })
}

/** Lets time pass on the mocked clock; all that is due happens, in small steps. */
export async function pass(milliseconds: number, step = 10): Promise<void> {
  await settle()
  for (let passed = 0; passed < milliseconds; passed += step) {
    mock.timers.tick(Math.min(step, milliseconds - passed))
    await settle()
  }
}

/** Lets everything happen that takes no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate()
}
