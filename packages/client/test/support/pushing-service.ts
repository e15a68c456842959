import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { answerTo, type Peer, type SentFrame, SocketService } from './socket-service.ts'

/** Pushes, streams and lists the messages of the queue `jobs`. The marker of a message is its number, from 1 on. */
export class PushingService {
  readonly service: SocketService
  refusesEvents = false
  /** Answers to `subscription_create` in place of the right one. */
  refusal: number | null = null
  readonly #bodies: unknown[] = []
  /** Who is subscribed, and up to where it was told. */
  readonly #subscribed = new Map<Peer, { readonly id: string; told: number }>()
  #streams: ServerResponse[] = []
  #subscriptions = 0

  private constructor(service: SocketService) {
    this.service = service
  }

  static async start(t: TestContext): Promise<PushingService> {
    const pushing = new PushingService(await SocketService.start(t))
    pushing.service.act = (frame, peer) => pushing.#act(frame, peer)
    pushing.service.onHttp = (request, response) => pushing.#serve(request, response)
    return pushing
  }

  get url(): string {
    return this.service.url
  }

  get subscriptions(): number {
    return this.#subscribed.size
  }

  post(...bodies: readonly unknown[]): void {
    this.#bodies.push(...bodies)
    for (const peer of this.#subscribed.keys()) peer.send(...this.#pushesTo(peer))
    for (const stream of this.#streams) stream.write(bodies.map((body) => this.#event(body)).join(''))
  }

  /** Somebody removes all subscriptions, or their queue, without a word to anyone. */
  unsubscribeAll(): void {
    this.#subscribed.clear()
  }

  /** Cuts all connections and event streams. */
  cut(): void {
    for (const { ws } of this.service.peers) ws.terminate()
    this.unsubscribeAll()
    for (const stream of this.#streams.splice(0)) stream.destroy()
  }

  #act(frame: SentFrame, peer: Peer): void {
    const { action, body } = frame
    if (action === 'subscription_create') {
      this.#subscribe(frame, peer)
      return
    }
    const isTheirs = this.#subscribed.get(peer)?.id === body?.subscription_id
    if (action === 'subscription_delete' && isTheirs) this.#subscribed.delete(peer)
    peer.answer(frame)
  }

  #subscribe(frame: SentFrame, peer: Peer): void {
    if (this.refusal !== null) {
      peer.answer(frame, this.refusal, { error: 'Not now.' })
    } else if (this.#subscribed.has(peer)) {
      peer.answer(frame, 409, 'Subscription jobs not created.')
    } else {
      const id = `s${++this.#subscriptions}`
      const told = Number(frame.body.marker ?? this.#bodies.length)
      this.#subscribed.set(peer, { id, told })
      peer.send(answerTo(frame, 201, { subscription_id: id, marker: String(told) }), ...this.#pushesTo(peer))
    }
  }

  /** What the peer was not told yet. */
  #pushesTo(peer: Peer): object[] {
    const subscription = this.#subscribed.get(peer)
    const from = subscription?.told ?? this.#bodies.length
    if (subscription !== undefined) subscription.told = this.#bodies.length
    return this.#bodies.slice(from).map((body, i) => {
      const marker = String(from + i + 1)
      return { body, ttl: 300, Message_Type: 'Notification', queue_name: 'jobs', id: `m${marker}`, marker }
    })
  }

  #serve({ url, headers }: IncomingMessage, response: ServerResponse): void {
    const { searchParams } = new URL(url as string, this.url)
    const from = Number(searchParams.get('marker') ?? this.#bodies.length)
    if (headers.accept !== 'text/event-stream') this.#list(from, response)
    else if (this.refusesEvents) response.writeHead(406).end()
    else this.#stream(from, response)
  }

  #stream(from: number, response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write(
      `id: ${from}\n\n${this.#bodies
        .slice(from)
        .map((body) => this.#event(body))
        .join('')}`,
    )
    this.#streams.push(response)
  }

  #event(body: unknown): string {
    const marker = this.#bodies.indexOf(body) + 1
    return `id: ${marker}\ndata: ${JSON.stringify({ id: `m${marker}`, ttl: 300, body })}\n\n`
  }

  #list(from: number, response: ServerResponse): void {
    const messages = this.#bodies.slice(from).map((body, i) => {
      const marker = String(from + i + 1)
      return { id: `m${marker}`, href: `/v2/queues/jobs/messages/m${marker}`, ttl: 300, age: 0, body, marker }
    })
    const links = [{ rel: 'next', href: `/v2/queues/jobs/messages?marker=${this.#bodies.length}` }]
    // What waits is let wait.
    if (messages.length === 0) return
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ messages, links }))
  }
}
