import { type Connection, keyOf } from './connection.ts'
import type { Metadata } from './documents.ts'
import { Conflict, Timeout, Unavailable, ZaqarError } from './errors.ts'
import type { FollowTerms, Step } from './follow.ts'
import type { Frame } from './frames.ts'
import { Inbox } from './inbox.ts'
import { timeLimit, unlessAborted } from './pause.ts'
import type { Socket } from './socket.ts'

/** Pushed messages that wait for their handler, at the most; and their size, in characters or bytes. */
const MOST_KEPT = 1_000
const MOST_SIZE = 2 ** 24
/** Seconds. */
const SUBSCRIPTION_TTL = 86_400
const ANSWER_SECONDS = 10
/** Nothing tells of the end of a subscription: its queue was deleted, or somebody removed it. */
const CHECK_MS = 30_000

interface PushTerms extends FollowTerms {
  readonly socket: Socket
  readonly filter: Metadata | undefined
}

/** Follows by a subscription of the connection. What has come is handed over before the end of the connection is told. */
export async function* followPushes(terms: PushTerms): AsyncGenerator<Step, void> {
  const { socket, signal } = terms
  const pushes = new Pushes(await unlessAborted(socket.connect(), signal), terms)
  try {
    await pushes.begin()
    for (;;) yield await pushes.next()
  } finally {
    pushes.end()
  }
}

class Pushes {
  readonly #connection: Connection
  readonly #terms: PushTerms
  readonly #inbox = new Inbox<Step>()
  readonly #leave: () => void
  #check: ReturnType<typeof setInterval> | undefined
  /** Behind the last message that was kept, or where it begins. */
  #marker: string | undefined
  #subscription: string | null = null
  #renewAt = 0
  /** Whether pushes are kept. What comes otherwise is of a subscription that was given up. */
  #isKeeping = false
  /** It was given up since too much waits for its handler. */
  #isBehind = false
  #isOver = false
  /** What has come since it was asked whether the subscription is there still; null: it was not asked. */
  #recent: Set<string> | null = null
  /** What comes again, since the subscription was made again from before it. */
  #again: ReadonlySet<string> = new Set()

  /** @throws Conflict where the client is subscribed already */
  constructor(connection: Connection, terms: PushTerms) {
    this.#connection = connection
    this.#terms = terms
    this.#marker = terms.marker
    this.#leave = connection.follow(keyOf(terms.topic.kind, terms.topic.name), {
      onPush: (frame, size) => this.#take(frame, size),
      onEnd: (error) => this.#inbox.end(error),
    })
  }

  /** @throws ZaqarError, or the reason of the signal */
  async begin(): Promise<void> {
    await unlessAborted(this.#subscribe(), this.#terms.signal)
    this.#check = setInterval(() => void this.#look(), CHECK_MS)
  }

  async next(): Promise<Step> {
    const step = await this.#inbox.take(this.#terms.signal)
    const { count, size } = this.#inbox
    if (this.#isBehind && count <= MOST_KEPT / 2 && size <= MOST_SIZE / 2) {
      this.#isBehind = false
      void this.#goOn()
    }
    return step
  }

  end(): void {
    this.#isOver = true
    clearInterval(this.#check)
    this.#leave()
    void this.#unsubscribe()
  }

  #take({ id, marker, body, ttl = 0 }: Frame, size: number): void {
    if (!this.#isKeeping || id === undefined || marker === undefined) return
    this.#recent?.add(id)
    if (this.#again.has(id)) return
    this.#marker = marker
    this.#inbox.put({ id, marker, body, ttl }, size)
    if (this.#inbox.count < MOST_KEPT && this.#inbox.size < MOST_SIZE) return
    this.#isKeeping = false
    this.#isBehind = true
    void this.#unsubscribe()
  }

  /** @throws ZaqarError */
  async #subscribe(): Promise<void> {
    await this.#create((marker) => {
      this.#isKeeping = true
      this.#again = new Set()
      this.#marker ??= marker
      this.#inbox.put({ id: null, marker: this.#marker }, 0)
    })
  }

  /** Subscribes again from where it stands. */
  async #goOn(): Promise<void> {
    try {
      await this.#subscribe()
    } catch (error) {
      this.#inbox.end(error)
    }
  }

  /** To make it again is refused while it is there. */
  async #look(): Promise<void> {
    if (!this.#isKeeping || this.#recent !== null) return
    if (Date.now() > this.#renewAt) {
      this.#isKeeping = false
      await this.#unsubscribe()
      return this.#goOn()
    }
    const recent = new Set<string>()
    this.#recent = recent
    try {
      await this.#create(() => {
        // What comes behind the answer is new, or comes again: nothing of it is recent.
        this.#recent = null
        this.#again = recent
      })
    } catch (error) {
      if (!(error instanceof Conflict || error instanceof Unavailable)) this.#inbox.end(error)
    } finally {
      this.#recent = null
    }
  }

  /** `onCreated` is told before anything is pushed. @throws ZaqarError */
  async #create(onCreated: (marker: string) => void): Promise<void> {
    const { filter } = this.#terms
    const options = { _with_ids: true, ...(filter !== undefined && { _filter: filter }) }
    const body = { ttl: SUBSCRIPTION_TTL, options, marker: this.#marker }
    const answer = await this.#ask('subscription_create', body, (answer) => {
      const { subscription_id: id, marker } = answer as { subscription_id: string; marker?: string }
      this.#subscription = id
      if (marker !== undefined) onCreated(marker)
      // It was ended, or given up, meanwhile.
      if (this.#isOver || !this.#isKeeping) return void this.#unsubscribe()
      this.#renewAt = Date.now() + SUBSCRIPTION_TTL * 750
      // Where the operator requires it.
      this.#ask('subscription_confirm', { subscription_id: id, confirmed: true }).catch(() => {})
    })
    if ((answer as { marker?: string }).marker === undefined) {
      throw new ZaqarError('unexpected_answer', 'The service pushes messages without markers.')
    }
  }

  /** Where that is not allowed, or the connection has ended, it ends with that. */
  async #unsubscribe(): Promise<void> {
    if (this.#subscription === null) return
    const body = { subscription_id: this.#subscription }
    this.#subscription = null
    await this.#ask('subscription_delete', body).catch(() => {})
  }

  async #ask(action: string, body: object, onAnswer?: (answer: unknown) => void): Promise<unknown> {
    const { kind, name } = this.#terms.topic
    const limit = timeLimit(ANSWER_SECONDS, undefined)
    try {
      return await this.#connection.ask(action, { [`${kind}_name`]: name, ...body }, limit.signal, onAnswer)
    } catch (cause) {
      if (!limit.signal.aborted) throw cause
      throw new Timeout('timeout', `No answer over the socket within ${ANSWER_SECONDS} s.`, { cause })
    } finally {
      limit.end()
    }
  }
}
