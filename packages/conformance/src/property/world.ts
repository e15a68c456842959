import assert from 'node:assert/strict'
import type { Instant, Lease, Message, Notification, Queue, QueueHandle, QueueKey, Storage } from 'zaqar/storage'
import { GONE_MS, STALE, StorageUnavailable } from 'zaqar/storage'
import type { ManualClock } from '../clock.ts'
import { createModel } from '../model/create-model.ts'
import { endLeases } from '../model/delivery-moves.ts'
import { createModelState } from '../model/state.ts'
import type { OpenedClients } from '../opened-clients.ts'
import { type HandleAge, type Pick, queueKeys } from './alphabets.ts'
import { Follower } from './follower.ts'
import { Identities, onPool, type Pair } from './identities.ts'
import { News } from './news.ts'
import type { Step } from './step.ts'
import { Witness } from './witness.ts'
import { WorkNews } from './work-news.ts'

/** Takes the engine's or the model's name of a thing, whichever is being asked. */
export type Of = <T>(pair: Pair<T>) => T

/** A name that was handed out, with the number of the queue that it was handed out for. */
interface Found {
  readonly queue: number
  readonly name: Pair<string>
}

/** A handle of each; that of the engine is another one when the queue lies elsewhere. */
interface KnownQueue extends Pair<QueueHandle> {
  engine: QueueHandle
}

/** An answer that a part did not give which fails. What was asked has changed nothing, and the model is not asked. */
class Refused extends Error {}

/** A lease, live or not, and what was handed out with it last. */
interface Leased {
  readonly lease: Pair<Lease>
  handedOut: Pair<readonly Notification[]>
}

/** An engine and a model that are asked the same things at the same instants, and what they have handed out so far. */
export class World {
  readonly clients: OpenedClients
  /**
   * Keeps the projects and pools of this sequence apart from those of earlier ones in the same store, and after them.
   */
  readonly prefix: string
  readonly clock: ManualClock
  /** Ids of messages, for the queues that they were posted to, and for each queue that they were seen in. */
  readonly postings: Found[] = []
  readonly messages: Found[] = []
  readonly claims: Found[] = []
  readonly subscriptions: Found[] = []
  /** Markers of listings by place, and of those by order of arrival, which include delayed messages. */
  readonly placeMarkers: Found[] = []
  readonly arrivalMarkers: Found[] = []
  readonly failureMarkers: (Found & { readonly subscription: string })[] = []
  readonly leases: Leased[] = []
  readonly workNews: WorkNews
  readonly #keys: readonly QueueKey[]
  readonly #modelState = createModelState()
  readonly #model: Storage
  readonly #identities = new Identities()
  readonly #handles = new Map<number, KnownQueue[]>()
  /** Queues that lie in another part than when they were seen last. */
  readonly #moved = new Set<number>()
  readonly #followers = new Map<string, Follower>()
  readonly #news: readonly News[]
  /** Of the queues where most steps meet. */
  readonly #witnesses: readonly Witness[]
  readonly #instants = new Set<Instant>()
  #readAt: Instant = 0
  #serial = 0
  /** The queue that is asked about, and whether others are besides, any of which may lie in a part that fails. */
  #subject: number | null = null
  #isAboutOthers = false
  #failingPart: number | null = null
  /** Messages may be on their way that arrive when the part serves again: by then no time may have passed. */
  #isSomethingUnderWay = false

  constructor(clients: OpenedClients, clock: ManualClock, prefix: string) {
    this.clients = clients
    this.prefix = prefix
    this.clock = clock
    this.#keys = queueKeys(prefix)
    this.#model = createModel(clock, this.#modelState)
    this.workNews = new WorkNews(this.engine, this.#model)
    this.#news = this.#keys.map((key) => new News(key, this.engine, this.#model))
    this.#witnesses = [0, 1].map((queue) => new Witness(this, queue))
  }

  get engine(): Storage {
    return this.clients.current
  }

  get now(): Instant {
    return this.clock.now()
  }

  async begin(): Promise<void> {
    this.#readAt = this.now
    for (const witness of this.#witnesses) await witness.keep(this.#model)
  }

  async run(step: Step): Promise<void> {
    try {
      await step.run(this)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
    for (const [queue, news] of this.#news.entries()) if (!(await this.#isRefusing(queue))) await news.check(this.now)
    if (!this.isFailing) await this.workNews.check(this.now)
  }

  end(): void {
    for (const news of this.#news) news.end()
    this.workNews.end()
    for (const witness of this.#witnesses) witness.end()
  }

  async moveTo(instant: Instant): Promise<void> {
    if (this.isFailing && this.#isSomethingUnderWay) return
    if (instant - this.#readAt >= GONE_MS) await this.readOn()
    this.clock.moveTo(instant)
  }

  /** The witnesses do, before anything that they have not met is forgotten. */
  async readOn(): Promise<void> {
    for (const witness of this.#witnesses) await witness.readOn(this.#model)
    this.#readAt = this.now
  }

  async reopen(): Promise<void> {
    await this.recover()
    await this.readOn()
    await this.clients.reopen()
    if (!this.clients.abilities.severalProcesses) endLeases(this.#modelState)
    for (const news of this.#news) news.watchAgain(this.engine)
    this.workNews.watchAgain(this.engine)
    await this.begin()
  }

  /** Asks both, and fails unless the answers are alike. */
  async ask<Answer>(question: (storage: Storage, of: Of) => Promise<Answer>): Promise<Pair<Answer>> {
    const engine = await this.#unlessRefused(() => this.#askEngine(question))
    const answers = { engine, model: await question(this.#model, (pair) => pair.model) }
    this.#identities.compare(answers)
    return answers
  }

  /** What is asked in `use` concerns that queue: by its name, so it does not matter where it was seen last. */
  async about<T>(queue: number, use: () => Promise<T>): Promise<T> {
    return this.#asking(queue, async () => {
      if (this.#moved.has(queue)) await this.#unlessRefused(() => this.#lookAgain(queue))
      return use()
    })
  }

  /** What is asked in `use` concerns other queues, too. */
  async withOthers<T>(use: () => Promise<T>): Promise<T> {
    this.#isAboutOthers = true
    try {
      return await use()
    } finally {
      this.#isAboutOthers = false
    }
  }

  async #asking<T>(subject: number, use: () => Promise<T>): Promise<T> {
    const before = this.#subject
    this.#subject = subject
    try {
      return await use()
    } finally {
      this.#subject = before
    }
  }

  /** As callers do who hear that a queue is not as they have seen it. */
  async #askEngine<Answer>(question: (storage: Storage, of: Of) => Promise<Answer>): Promise<Answer> {
    const ask = () => question(this.engine, (pair) => pair.engine)
    const answer = await ask()
    if (answer !== STALE || this.#subject === null || !this.#moved.has(this.#subject)) return answer
    await this.#lookAgain(this.#subject)
    return ask()
  }

  async #lookAgain(queue: number): Promise<void> {
    const p = { key: this.key(queue), now: this.now }
    const [engine, model] = [await this.engine.queues.get(p), await this.#model.queues.get(p)]
    this.#moved.delete(queue)
    if (!engine || !model) return
    for (const known of this.#handles.get(queue) ?? []) if (known.model.version === model.version) known.engine = engine
    this.#identities.rename({ engine: onPool(engine), model: model.version })
  }

  /** @throws Refused where the part fails in which that lies which is asked about */
  async #unlessRefused<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error
      const mayBe = this.#isAboutOthers ? this.isFailing : await this.#isRefusing(this.#subject)
      throw mayBe ? new Refused() : error
    }
  }

  async #isRefusing(queue: number | null): Promise<boolean> {
    if (this.#failingPart === null || queue === null) return false
    return (await this.clients.parts?.partOf(this.key(queue))) === this.#failingPart
  }

  get isFailing(): boolean {
    return this.#failingPart !== null
  }

  fail(part: number): void {
    if (this.#failingPart !== null) return
    this.#failingPart = part
    this.#isSomethingUnderWay = false
    this.clients.parts?.fail(part)
    this.workNews.forget()
  }

  async recover(): Promise<void> {
    const { parts } = this.clients
    if (this.#failingPart === null || !parts) return
    await parts.recover()
    this.#failingPart = null
    await this.mayHaveMoved()
    await this.moveTo(this.now + parts.noticedMilliseconds)
  }

  async moveQueue(queue: number): Promise<void> {
    await this.clients.parts?.move(this.key(queue))
    this.#moved.add(queue)
  }

  async drain(part: number): Promise<void> {
    await this.clients.parts?.drain(part)
    for (const queue of this.#keys.keys()) this.#moved.add(queue)
  }

  /** What a caller knows who is told of queues that it does not name. */
  async lookAgainAtAll(): Promise<void> {
    for (const queue of [...this.#moved]) await this.about(queue, async () => {})
  }

  /** Whether messages may leave for another store than this. */
  get hasElsewhere(): boolean {
    return !this.clients.abilities.carriesDepartures
  }

  key(queue: number): QueueKey {
    const key = this.#keys[queue]
    assert(key)
    return key
  }

  /** The number of the queue; null when it is none of those that are picked. */
  indexOf({ project, kind, name }: QueueKey): number | null {
    const index = this.#keys.findIndex((key) => key.project === project && key.kind === kind && key.name === name)
    return index < 0 ? null : index
  }

  nextSerial(): number {
    this.#serial += 1
    return this.#serial
  }

  sawQueue(queue: number, answer: Pair<Queue>): void {
    const known = this.#handles.get(queue) ?? []
    if (known.at(-1)?.model.version !== answer.model.version) known.push(answer)
    this.#handles.set(queue, known)
  }

  /** Does nothing while nobody has seen the queue. */
  async withHandle(queue: number, age: HandleAge, use: (handle: Pair<QueueHandle>) => Promise<unknown>): Promise<void> {
    const handle = this.#handles.get(queue)?.at(age === 'latest' ? -1 : -2)
    if (handle) await this.#asking(queue, () => use(handle))
  }

  /** Notes names that stand at the same positions of two answers, for later steps to pick from. */
  found(names: Found[], queue: number, { engine, model }: Pair<readonly string[]>): void {
    for (const [index, name] of engine.entries()) {
      const isKnown = names.some((other) => other.queue === queue && other.name.engine === name)
      const modelName = model[index]
      if (!isKnown && modelName !== undefined) names.push({ queue, name: { engine: name, model: modelName } })
    }
  }

  foundMessages(queue: number, { engine, model }: Pair<readonly Message[]>): void {
    this.found(this.messages, queue, { engine: engine.map(({ id }) => id), model: model.map(({ id }) => id) })
  }

  /** Null when nothing fitting was handed out yet. */
  pick(names: readonly Found[], queue: number, pick: Pick): Pair<string> | null {
    if ('malformed' in pick) return { engine: pick.malformed, model: pick.malformed }
    const fitting = pick.from === 'here' ? names.filter((found) => found.queue === queue) : names
    return fitting.at(-1 - (pick.newest % Math.max(fitting.length, 1)))?.name ?? null
  }

  pickAll(names: readonly Found[], queue: number, picks: readonly Pick[]): Pair<string>[] {
    return picks.flatMap((pick) => this.pick(names, queue, pick) ?? [])
  }

  /** Something may happen when this time is over, so the clock should stop at that instant and on either side of it. */
  expectAfter(...seconds: readonly number[]): void {
    for (const duration of seconds) this.#instants.add(this.now + duration * 1000)
  }

  nextInstants(): Instant[] {
    return [...this.#instants].filter((instant) => instant >= this.now).sort((a, b) => a - b)
  }

  /** Somebody reads on who follows the markers of the queue. */
  async follow(queue: number, includeDelayed: boolean, limit: number): Promise<void> {
    const follower = this.#follower(queue, includeDelayed)
    await this.#asking(queue, () => this.#unlessRefused(() => follower.readPage(this.engine, limit, this.now)))
  }

  #follower(queue: number, includeDelayed: boolean): Follower {
    const name = `${queue} ${includeDelayed}`
    const follower = this.#followers.get(name) ?? new Follower(this.key(queue), includeDelayed)
    this.#followers.set(name, follower)
    return follower
  }

  /** To be told after each move that may take messages from one queue to another. */
  async mayHaveMoved(): Promise<void> {
    this.#isSomethingUnderWay = this.isFailing
    for (const follower of this.#followers.values()) {
      // From one that fails nothing leaves.
      if (!(await this.#isRefusing(this.indexOf(follower.key)))) await follower.forgetWhoLeft(this.engine, this.now)
    }
  }

  /** To be told when a queue is gone that may go on later as another one. */
  mayGoOn(queue: number): void {
    for (const includeDelayed of [false, true]) this.#follower(queue, includeDelayed).startAgain()
  }

  /** After the last step. */
  async finish(): Promise<void> {
    await this.recover()
    await this.readOn()
    for (const follower of this.#followers.values()) await follower.checkAllWereMet(this.engine, this.now)
    // What is left would be moved with each drain of later sequences.
    if (this.clients.parts) for (const queue of this.#keys.keys()) await this.#remove(queue)
  }

  async #remove(queue: number): Promise<void> {
    const found = await this.engine.queues.get({ key: this.key(queue), now: this.now })
    if (found) assert.equal(await this.engine.queues.delete({ queue: found, now: this.now }), 'deleted')
  }
}
