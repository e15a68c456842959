import assert from 'node:assert/strict'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { idsIn } from '../support/fresh-service.ts'
import type { TestAnswer, TestClient } from '../support/test-client.ts'
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
const HOUR = 3600

interface MessageDocument {
  readonly id?: string
  readonly href: string
  readonly ttl: number
  readonly age: number
  readonly body: unknown
}

/** What a version over HTTP does in a way of its own. */
interface Form {
  /** The document of a POST of messages. */
  posted(messages: readonly Posted[]): unknown
  /** The messages in the answers to a claim and to a request by ids. */
  messagesIn(document: never): readonly MessageDocument[]
  /** Of an answer that has nothing to show. */
  readonly nothingListed: (answer: TestAnswer) => void
  readonly noneFound: (answer: TestAnswer) => void
  readonly hasPop: boolean
}

const tagged: Form = {
  posted: (messages) => ({ messages }),
  messagesIn: ({ messages }: { messages: MessageDocument[] }) => messages,
  nothingListed: (answer) => assert.deepEqual(json(answer), { messages: [], links: [] }),
  noneFound: (answer) => assertError(answer, 404, 'Not found'),
  hasPop: true,
}

const bare: Form = {
  posted: (messages) => messages.map((message) => ({ ttl: HOUR, ...message })),
  messagesIn: (messages: MessageDocument[]) => messages,
  nothingListed: assertNoContent,
  noneFound: assertNoContent,
  hasPop: false,
}

/** A version of the API over HTTP. */
class HttpActions implements Actions {
  readonly pop: Actions['pop']
  readonly #client: TestClient
  readonly #prefix: string
  readonly #form: Form

  constructor(client: TestClient, prefix: string, form: Form) {
    this.#client = client
    this.#prefix = prefix
    this.#form = form
    this.pop = form.hasPop ? (queue, count) => this.#pop(queue, count) : null
  }

  async createQueue(queue: string, metadata?: object): Promise<'created' | 'there already'> {
    const answer = await this.#client.put(this.#at(queue), this.#form === bare ? undefined : metadata)
    refuse(answer)
    assert.equal(answer.headers['location'], this.#at(queue))
    if (this.#form === bare && metadata !== undefined && answer.status === 201) {
      assertNoContent(await this.#client.put(this.#at(queue, '/metadata'), metadata))
    }
    if (answer.status !== 201) assertNoContent(answer)
    return answer.status === 201 ? 'created' : 'there already'
  }

  async deleteQueue(queue: string): Promise<void> {
    assertNoContent(refuse(await this.#client.delete(this.#at(queue))))
  }

  async listQueues(): Promise<string[]> {
    const answer = refuse(await this.#client.get(`${this.#prefix}/queues`))
    if (this.#form === bare && answer.status === 204) return []
    assert.equal(answer.status, 200)
    return json(answer).queues.map(({ name }: { name: string }) => name)
  }

  async stats(queue: string): Promise<Stats> {
    const answer = refuse(await this.#client.get(this.#at(queue, '/stats')))
    assert.equal(answer.status, 200)
    const { claimed, free, total, oldest, newest } = json(answer).messages
    const idOf = (edge: { href: string } | undefined) => (edge === undefined ? null : idIn(edge.href))
    return { claimed, free, total, oldest: idOf(oldest), newest: idOf(newest) }
  }

  async post(queue: string, ...messages: readonly Posted[]): Promise<string[]> {
    return idsIn(refuse(await this.#client.post(this.#at(queue, '/messages'), this.#form.posted(messages))))
  }

  async list(queue: string, { limit, echo, includeClaimed, wait }: Listing = {}): Promise<Page> {
    const query = { limit, echo, include_claimed: includeClaimed, wait }
    return this.#page(`${this.#at(queue, '/messages')}?${queryOf(query)}`)
  }

  follow({ next }: Page): Promise<Page> {
    assert.ok(next !== null)
    return this.#page(next)
  }

  async #page(href: string): Promise<Page> {
    const answer = refuse(await this.#client.get(href))
    if (answer.status === 200 && json(answer).messages.length > 0) {
      const { messages, links } = json(answer)
      assert.equal(links.length, 1)
      return { messages: messages.map(toShown), next: links[0].href }
    }
    this.#form.nothingListed(answer)
    return { messages: [], next: null }
  }

  async get(queue: string, id: string): Promise<Shown | null> {
    const answer = await this.#client.get(this.#at(queue, `/messages/${id}`))
    if (isNotFound(answer)) return null
    assert.equal(refuse(answer).status, 200)
    return toShown(json(answer))
  }

  async getAll(queue: string, ids: readonly string[]): Promise<Shown[]> {
    const answer = await this.#client.get(`${this.#at(queue, '/messages')}?ids=${ids.join(',')}`)
    if (answer.status === 204 || answer.status === 404) {
      this.#form.noneFound(answer)
      return []
    }
    assert.equal(refuse(answer).status, 200)
    return this.#form.messagesIn(json(answer) as never).map(toShown)
  }

  async claim(queue: string, terms: Terms = {}): Promise<Claim | null> {
    const { ttl = MINUTE, grace = MINUTE, limit, wait, idempotencyKey } = terms
    const target = `${this.#at(queue, '/claims')}?${queryOf({ limit, wait })}`
    const headers = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }
    const answer = refuse(await this.#client.post(target, { ttl, grace }, { headers }))
    if (answer.status === 204) {
      assertNoContent(answer)
      assert.equal(answer.headers['location'], undefined)
      return null
    }
    assert.equal(answer.status, 201)
    const id = idIn(answer.headers['location'] ?? '')
    assert.equal(answer.headers['location'], this.#at(queue, `/claims/${id}`))
    const messages = this.#form.messagesIn(json(answer) as never).map(toShown)
    assert.ok(messages.every(({ claimId }) => claimId === id))
    return { id, messages }
  }

  async showClaim(queue: string, id: string): Promise<ShownClaim | null> {
    const answer = await this.#client.get(this.#at(queue, `/claims/${id}`))
    if (isNotFound(answer)) return null
    assert.equal(refuse(answer).status, 200)
    const { ttl, age, messages, href } = json(answer)
    assert.equal(href, this.#at(queue, `/claims/${id}`))
    return { id, ttl, age, messages: messages.map(toShown) }
  }

  async renew(queue: string, id: string, terms: Pick<Terms, 'ttl' | 'grace'>): Promise<boolean> {
    const answer = await this.#client.patch(this.#at(queue, `/claims/${id}`), terms)
    if (isNotFound(answer)) return false
    assertNoContent(refuse(answer))
    return true
  }

  async release(queue: string, id: string): Promise<void> {
    assertNoContent(refuse(await this.#client.delete(this.#at(queue, `/claims/${id}`))))
  }

  async delete(queue: string, id: string, claimId?: string): Promise<void> {
    const target = `${this.#at(queue, `/messages/${id}`)}?${queryOf({ claim_id: claimId })}`
    assertNoContent(refuse(await this.#client.delete(target)))
  }

  async deleteAll(queue: string, ids: readonly string[]): Promise<void> {
    const target = `${this.#at(queue, '/messages')}?ids=${ids.join(',')}`
    assertNoContent(refuse(await this.#client.delete(target)))
  }

  async #pop(queue: string, count: number): Promise<Omit<Shown, 'claimId'>[]> {
    const answer = refuse(await this.#client.delete(`${this.#at(queue, '/messages')}?pop=${count}`))
    assert.equal(answer.status, 200)
    return json(answer).messages.map(({ id, body, ttl, age }: Shown) => ({ id, body, ttl, age }))
  }

  #at(queue: string, rest = ''): string {
    return `${this.#prefix}/queues/${queue}${rest}`
  }
}

function toShown({ href, ttl, age, body, id }: MessageDocument): Shown {
  const path = href.replace(/\?claim_id=.*$/, '')
  if (id !== undefined) assert.equal(idIn(path), id)
  return {
    id: idIn(path),
    body,
    ttl,
    age,
    claimId: path === href ? null : href.slice(path.length + '?claim_id='.length),
  }
}

function idIn(href: string): string {
  return href.slice(href.lastIndexOf('/') + 1)
}

function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  return given.map(([name, value]) => `${name}=${value}`).join('&')
}

/** @throws Refused */
function refuse(answer: TestAnswer): TestAnswer {
  if (answer.status < 400) return answer
  const { title, description } = json(answer)
  assertError(answer, answer.status, title)
  throw new Refused({ status: answer.status, title, description })
}

function isNotFound(answer: TestAnswer): boolean {
  if (answer.status !== 404) return false
  assertError(answer, 404, 'Not found')
  return true
}

export const V1 = overHttp('v1', bare)
export const V1_1 = overHttp('v1.1', tagged)
export const V2 = overHttp('v2', tagged)

function overHttp(name: string, form: Form): Door {
  return {
    name,
    actions({ client }, { clientId, project }) {
      const headers = { 'Client-ID': clientId, 'X-Project-Id': project }
      return new HttpActions(client.with(headers), `/${name}`, form)
    },
  }
}
