import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Actions, type Page, Refused, type Shown } from '../doors/actions.ts'
import { V2 } from '../doors/http-doors.ts'
import { SOCKET } from '../doors/socket-door.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { SessionClient } from '../support/session-client.ts'
import { settled } from '../support/settled.ts'
import { CLIENT_ID, PROJECT } from '../support/test-client.ts'

/** What the client of one door knows: things have no ids here, but numbers in the order in which they were met. */
class Side {
  readonly queue: string
  readonly #actions: Actions
  readonly #messages: string[] = []
  readonly #claims: string[] = []
  #page: Page | null = null

  constructor(queue: string, actions: Actions) {
    this.queue = queue
    this.#actions = actions
  }

  /** The outcome, as it would be the same through any door. */
  async do({ what, message, claim, count, flag }: Step): Promise<unknown> {
    try {
      return await this.#do(what, this.#messages[message] ?? 'unknown', this.#claims[claim] ?? 'unknown', count, flag)
    } catch (error) {
      if (error instanceof Refused) return { refused: error.status }
      throw error
    }
  }

  async #do(what: Step['what'], id: string, claimId: string, count: number, flag: boolean): Promise<unknown> {
    const [actions, queue] = [this.#actions, this.queue]
    switch (what) {
      case 'post': {
        const messages = Array.from({ length: Math.max(count, 1) }, (_, n) => ({
          body: { n, count },
          ttl: flag ? 60 : 3600,
        }))
        const ids = await actions.post(queue, ...messages)
        this.#messages.push(...ids)
        return ids.length
      }
      case 'post badly':
        return actions.post(queue, { body: 1, ttl: count })
      case 'list':
        this.#page = await actions.list(queue, { echo: true, includeClaimed: flag, limit: count })
        return this.#shownPage()
      case 'list without echo':
        return (await actions.list(queue, { includeClaimed: flag })).messages.length
      case 'follow':
        if (this.#page === null || this.#page.next === null) return null
        this.#page = await actions.follow(this.#page)
        return this.#shownPage()
      case 'get':
        return this.#shown(await actions.get(queue, id))
      case 'get all':
        return (await actions.getAll(queue, [id, ...this.#messages.slice(0, count)])).map((one) => this.#shown(one))
      case 'claim': {
        const made = await actions.claim(queue, { limit: count, ttl: flag ? 60 : 300 })
        if (made === null) return null
        this.#claims.push(made.id)
        return made.messages.map((one) => this.#shown(one))
      }
      case 'show claim': {
        const { ttl, age, messages } = (await actions.showClaim(queue, claimId)) ?? {}
        return { ttl, age, messages: messages?.map((one) => this.#shown(one)) }
      }
      case 'renew':
        return actions.renew(queue, claimId, { ttl: count * 20, grace: 60 })
      case 'release':
        return actions.release(queue, claimId)
      case 'delete':
        return actions.delete(queue, id, flag ? claimId : undefined)
      case 'delete all':
        return actions.deleteAll(queue, [id, ...this.#messages.slice(0, count)])
      case 'pop':
        return (await actions.pop?.(queue, count))?.map((one) => this.#shown({ ...one, claimId: null }))
      case 'stats': {
        const { oldest, newest, ...counts } = await actions.stats(queue)
        return { ...counts, edges: [oldest, newest].map((one) => one && this.#messages.indexOf(one)) }
      }
      case 'pass':
        return null
    }
  }

  #shownPage() {
    return this.#page?.messages.map((one) => this.#shown(one))
  }

  #shown(one: Shown | null) {
    if (one === null) return null
    const { id, claimId, ...rest } = one
    const claim = claimId === null || !this.#claims.includes(claimId) ? claimId !== null : this.#claims.indexOf(claimId)
    return { ...rest, message: this.#messages.indexOf(id), claim }
  }
}

const WHAT = [
  ...(['post', 'post', 'post', 'list', 'list without echo', 'follow', 'get', 'get all', 'claim', 'claim'] as const),
  ...([
    'show claim',
    'renew',
    'release',
    'delete',
    'delete',
    'delete all',
    'pop',
    'stats',
    'pass',
    'post badly',
  ] as const),
]

type Step = { what: (typeof WHAT)[number]; message: number; claim: number; count: number; flag: boolean }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom(...WHAT),
    message: fc.nat(8),
    claim: fc.nat(3),
    // Up to what is one too many.
    count: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constantFrom(0, 20, 21)),
    flag: fc.boolean(),
  }),
  { minLength: 1, maxLength: 25 },
)

/** Follows a queue from link to link, as a client of HTTP does. */
class Follower {
  readonly met: object[] = []
  #next: string
  readonly #service: InProcessService

  constructor(queue: string, service: InProcessService) {
    this.#next = `/v2/queues/${queue}/messages?echo=true&include_claimed=true&limit=20`
    this.#service = service
  }

  async follow(): Promise<void> {
    for (;;) {
      const { status, text } = await this.#service.client.get(this.#next)
      assert.equal(status, 200, text)
      const { messages, links } = JSON.parse(text)
      if (messages.length === 0) return
      this.met.push(...messages.map(({ id, ttl, body }: Shown) => ({ id, ttl, body })))
      this.#next = links[0].href
    }
  }
}

describe('over a socket, as over HTTP,', () => {
  test('the same requests have the same outcome, and a subscriber meets what a follower of links meets', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const service = await openInProcess()
        const client = new SessionClient(service.openSession, 'asker')
        const subscriber = new SessionClient(service.openSession, 'subscriber')
        const who = { clientId: CLIENT_ID, project: PROJECT }
        const clients = { client: service.client, socket: client }
        const http = new Side('http', V2.actions(clients, who))
        const socket = new Side('socket', SOCKET.actions(clients, who))
        const followers = [http, socket].map(({ queue }) => new Follower(queue, service))
        for (const { queue } of [http, socket]) {
          assert.equal((await service.client.put(`/v2/queues/${queue}`)).status, 201)
          const wanted = { queue_name: queue, options: { _with_ids: true } }
          assert.equal((await subscriber.ask('subscription_create', wanted)).status, 201)
        }
        for (const step of steps) {
          if (step.what === 'pass') service.clock.advance(step.count * 10_000)
          assert.deepEqual(await socket.do(step), await http.do(step), JSON.stringify(step))
          if (step.what === 'post') for (const follower of followers) await follower.follow()
        }
        await settled()
        for (const [index, { queue }] of [http, socket].entries()) {
          const pushed = subscriber.pushed.filter(({ queue_name }) => queue_name === queue)
          const met = pushed.map(({ id, ttl, body }) => ({ id, ttl, body }))
          assert.deepEqual(met, followers[index]?.met)
        }
        for (const one of [client, subscriber]) one.leave()
        await service.close()
        assert.deepEqual(service.troubles, [])
      }),
      { numRuns: 40 },
    )
  })
})
