import assert from 'node:assert/strict'
import type { Instant, Lease, Message, Notification, Queue, QueueHandle, QueueKey, Storage } from 'zaqar/storage'
import { GONE_MS } from 'zaqar/storage'
import type { ManualClock } from '../clock.ts'
import { createModel } from '../model/create-model.ts'
import { endLeases } from '../model/delivery-moves.ts'
import { createModelState } from '../model/state.ts'
import type { OpenedClients } from '../opened-clients.ts'
import { type HandleAge, type Pick, queueKeys } from './alphabets.ts'
import { Follower } from './follower.ts'
import { Identities, type Pair } from './identities.ts'
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
  readonly #handles = new Map<number, Pair<QueueHandle>[]>()
  readonly #followers = new Map<string, Follower>()
  readonly #news: readonly News[]
  /** Of the queues where most steps meet. */
  readonly #witnesses: readonly Witness[]
  readonly #instants = new Set<Instant>()
  #readAt: Instant = 0
  #serial = 0

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
    await step.run(this)
    for (const news of this.#news) await news.check(this.now)
    await this.workNews.check(this.now)
  }

  end(): void {
    for (const news of this.#news) news.end()
    this.workNews.end()
    for (const witness of this.#witnesses) witness.end()
  }

  async moveTo(instant: Instant): Promise<void> {
    if (instant - this.#readAt >= GONE_MS) await this.readOn()
    this.clock.moveTo(instant)
  }

  /** The witnesses do, before anything that they have not met is forgotten. */
  async readOn(): Promise<void> {
    this.#readAt = this.now
    for (const witness of this.#witnesses) await witness.readOn(this.#model)
  }

  async reopen(): Promise<void> {
    await this.readOn()
    await this.clients.reopen()
    if (!this.clients.abilities.severalProcesses) endLeases(this.#modelState)
    for (const news of this.#news) news.watchAgain(this.engine)
    this.workNews.watchAgain(this.engine)
    await this.begin()
  }

  /** Asks both, and fails unless the answers are alike. */
  async ask<Answer>(question: (storage: Storage, of: Of) => Promise<Answer>): Promise<Pair<Answer>> {
    const answers = {
      engine: await question(this.engine, (pair) => pair.engine),
      model: await question(this.#model, (pair) => pair.model),
    }
    this.#identities.compare(answers)
    return answers
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
    if (handle) await use(handle)
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

  follower(queue: number, includeDelayed: boolean): Follower {
    const name = `${queue} ${includeDelayed}`
    const follower = this.#followers.get(name) ?? new Follower(this.key(queue), includeDelayed)
    this.#followers.set(name, follower)
    return follower
  }

  /** To be told after each move that may take messages from one queue to another. */
  async mayHaveMoved(): Promise<void> {
    for (const follower of this.#followers.values()) await follower.forgetWhoLeft(this.engine, this.now)
  }

  /** To be told when a queue is gone that may go on later as another one. */
  mayGoOn(queue: number): void {
    for (const includeDelayed of [false, true]) this.follower(queue, includeDelayed).startAgain()
  }

  async checkFollowers(): Promise<void> {
    await this.readOn()
    for (const follower of this.#followers.values()) await follower.checkAllWereMet(this.engine, this.now)
  }
}
