import assert from 'node:assert/strict'
import type { Ask, SessionClient, SessionReply } from '../support/session-client.ts'
import {
  type Actions,
  type Claim,
  type Listing,
  type Page,
  type Posted,
  Refused,
  type Shown,
  type ShownClaim,
  type Stats,
  type Terms,
} from './actions.ts'
import type { Door } from './door.ts'

const MINUTE = 60

interface MessageDocument {
  readonly id: string
  readonly claim_id: string | null
  readonly ttl: number
  readonly age: number
  readonly body: unknown
}

/** What a client does over a socket, in frames. (contract websocket.md 6) */
class SocketActions implements Actions {
  readonly #client: SessionClient
  readonly #how: Ask

  constructor(client: SessionClient, how: Ask) {
    this.#client = client
    this.#how = how
  }

  async createQueue(queue: string, metadata?: object): Promise<'created' | 'there already'> {
    const reply = await this.#ask('queue_create', { queue_name: queue, ...(metadata && { metadata }) })
    assert.equal(reply.body, `Queue ${queue} created.`)
    if (reply.status !== 201) assert.equal(reply.status, 204)
    return reply.status === 201 ? 'created' : 'there already'
  }

  async deleteQueue(queue: string): Promise<void> {
    assertDone(await this.#ask('queue_delete', { queue_name: queue }), `Queue ${queue} removed.`)
  }

  async listQueues(): Promise<string[]> {
    const { status, body } = await this.#ask('queue_list')
    assert.equal(status, 200)
    return body.queues.map(({ name }: { name: string }) => name)
  }

  async stats(queue: string): Promise<Stats> {
    const { body } = await this.#client.ask('queue_get_stats', { queue_name: queue }, this.#how)
    const { claimed, free, total, oldest, newest } = body.messages
    return { claimed, free, total, oldest: oldest?.id ?? null, newest: newest?.id ?? null }
  }

  async post(queue: string, ...messages: readonly Posted[]): Promise<string[]> {
    const { status, body } = await this.#ask('message_post', { queue_name: queue, messages })
    assert.equal(status, 201)
    return body.message_ids
  }

  list(queue: string, { limit, echo, includeClaimed, wait }: Listing = {}): Promise<Page> {
    return this.#page(queue, { limit, echo, include_claimed: includeClaimed, wait })
  }

  /** `next` is the queue, as it would stand in a path, and what to ask for. */
  follow({ next }: Page): Promise<Page> {
    const [, queue = '', asked = '{}'] = /^\/(.*?)\/(.*)$/.exec(next ?? '') ?? assert.fail('there is no next page')
    return this.#page(queue, JSON.parse(asked))
  }

  async #page(queue: string, asked: object): Promise<Page> {
    const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
    const { status, body } = await this.#ask('message_list', { queue_name: queue, with_markers: true, ...given })
    assert.equal(status, 200)
    const { marker } = body.messages.at(-1) ?? {}
    const { wait: _, ...further } = given as { wait?: number }
    const next = marker === undefined ? null : `/${queue}/${JSON.stringify({ ...further, marker })}`
    return { messages: body.messages.map(toShown), next }
  }

  async get(queue: string, id: string): Promise<Shown | null> {
    const reply = await this.#found('message_get', { queue_name: queue, message_id: id })
    return reply && toShown(reply.body.messages)
  }

  async getAll(queue: string, ids: readonly string[]): Promise<Shown[]> {
    const { status, body } = await this.#ask('message_get_many', { queue_name: queue, message_ids: ids })
    assert.equal(status, 200)
    return body.messages.map(toShown)
  }

  async claim(queue: string, terms: Terms = {}): Promise<Claim | null> {
    const { ttl = MINUTE, grace = MINUTE, idempotencyKey, ...further } = terms
    const key = idempotencyKey === undefined ? {} : { idempotency_key: idempotencyKey }
    const { status, body } = await this.#ask('claim_create', { queue_name: queue, ttl, grace, ...further, ...key })
    if (status === 204) return null
    assert.equal(status, 201)
    const messages: Shown[] = body.messages.map(toShown)
    assert.ok(messages.every(({ claimId }) => claimId === body.claim_id))
    return { id: body.claim_id, messages }
  }

  async showClaim(queue: string, id: string): Promise<ShownClaim | null> {
    const reply = await this.#found('claim_get', { queue_name: queue, claim_id: id })
    if (reply === null) return null
    const { ttl, age, messages } = reply.body
    return { id, ttl, age, messages: messages.map(toShown) }
  }

  async renew(queue: string, id: string, terms: Pick<Terms, 'ttl' | 'grace'>): Promise<boolean> {
    const reply = await this.#found('claim_update', { queue_name: queue, claim_id: id, ...terms })
    if (reply !== null) assertDone(reply, `Claim ${id} updated.`)
    return reply !== null
  }

  async release(queue: string, id: string): Promise<void> {
    assertDone(await this.#ask('claim_delete', { queue_name: queue, claim_id: id }), `Claim ${id} deleted.`)
  }

  async delete(queue: string, id: string, claimId?: string): Promise<void> {
    const claim = claimId === undefined ? {} : { claim_id: claimId }
    assertDone(await this.#ask('message_delete', { queue_name: queue, message_id: id, ...claim }), {})
  }

  async deleteAll(queue: string, ids: readonly string[]): Promise<void> {
    assertDone(await this.#ask('message_delete_many', { queue_name: queue, message_ids: ids }), {})
  }

  async pop(queue: string, count: number): Promise<Omit<Shown, 'claimId'>[]> {
    const { status, body } = await this.#ask('message_delete_many', { queue_name: queue, pop: count })
    assert.equal(status, 200)
    return body.messages.map(({ id, body, ttl, age }: MessageDocument) => ({ id, body, ttl, age }))
  }

  /** Null: not found. */
  async #found(action: string, body: object): Promise<SessionReply | null> {
    const reply = await this.#client.ask(action, body, this.#how)
    if (reply.status !== 404) return refuse(reply)
    assert.equal(typeof reply.body.exception, 'string')
    return null
  }

  async #ask(action: string, body?: object): Promise<SessionReply> {
    return refuse(await this.#client.ask(action, body, this.#how))
  }
}

function toShown({ id, claim_id, ttl, age, body }: MessageDocument): Shown {
  return { id, body, ttl, age, claimId: claim_id }
}

function assertDone({ status, body }: SessionReply, said: unknown): void {
  assert.equal(status, 204)
  assert.deepEqual(body, said)
}

/** An error has no title here. @throws Refused */
function refuse(reply: SessionReply): SessionReply {
  const { status, body } = reply
  if (status < 400) return reply
  assert.equal(typeof body.exception, 'string', JSON.stringify(body))
  throw new Refused({ status, title: null, description: body.exception })
}

export const SOCKET: Door = {
  name: 'a socket',
  actions: ({ socket }, { clientId, project }) =>
    new SocketActions(socket, { headers: { 'Client-ID': clientId, 'X-Project-ID': project } }),
}
