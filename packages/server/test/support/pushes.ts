import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { type Caller, createExecute, type Execute, type Operation } from '../../src/core/execute.ts'
import { NOBODY } from '../../src/core/identity.ts'
import type { Page } from '../../src/core/listing.ts'
import { MessageTally } from '../../src/core/message-tally.ts'
import { postMessages } from '../../src/core/operations/messages/post-messages.ts'
import { listSubscriptions } from '../../src/core/operations/subscriptions/list-subscriptions.ts'
import {
  type SubscribeReceiverInput,
  subscribeReceiver,
} from '../../src/core/operations/subscriptions/subscribe-receiver.ts'
import { onTopics } from '../../src/core/operations/topics/on-topics.ts'
import type { Subscribed } from '../../src/core/pushes/pushes.ts'
import { QueueDirectory } from '../../src/core/queue-directory.ts'
import type { Push, Receiver } from '../../src/core/receiver.ts'
import { SocketTally } from '../../src/core/socket-tally.ts'
import { openWaiting, type Waiting } from '../../src/core/waiting.ts'
import type { Claim } from '../../src/model/model.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { systemIds } from '../../src/platform/system-ids.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { load } from '../config/memory.ts'
import { settled } from './settled.ts'

export interface SceneTerms {
  readonly requiresConfirmation?: boolean
  readonly maxSubscriptions?: number
  readonly deniedPermissions?: readonly string[]
}

export const SOMEBODY: Caller = { ...NOBODY, project: 'p', clientId: 'c', userId: 'u', roles: ['member'] }

/** The operations over a store that counts what is asked of it, and fails where a test wants it. */
export class Scene {
  readonly clock: ManualClock
  readonly storage: Storage
  readonly waiting: Waiting
  readonly execute: Execute
  readonly troubles: unknown[] = []
  /** By the names of methods: `messages.list`, `keepGone`. */
  readonly calls = new Map<string, number>()
  /** Methods that fail. */
  readonly failing = new Set<string>()
  /** Methods that do what they should, and fail to say so. */
  readonly forgets = new Set<string>()
  /** What was removed is not kept, and listings say so. */
  dropsGone = false
  /** Comes between a move of that name and its answer. */
  readonly before = new Map<string, () => Promise<void>>()
  /** Watches and the like that have begun and not ended. */
  readonly open = { watch: 0, watchSubscriptions: 0, keepGone: 0, timer: 0 }
  readonly budget: MemoryBudget

  constructor(clock: ManualClock, storage: Storage, terms: SceneTerms) {
    const { requiresConfirmation = false, maxSubscriptions = Number.POSITIVE_INFINITY, deniedPermissions = [] } = terms
    this.clock = clock
    this.storage = this.#spied(storage)
    const limits = {
      ...load({}).config.limits,
      deleteNeedsClaimIds: false,
      canEncryptMessages: false,
      hasPools: false,
      requiresConfirmation,
    }
    const queues = new QueueDirectory(this.storage.queues, null, limits)
    const onTrouble = (error: unknown) => void this.troubles.push(error)
    this.budget = new MemoryBudget({ bytes: 1 << 30, clock })
    const parts = {
      storage: this.storage,
      queues,
      tally: new MessageTally(this.clock.now()),
      clock: this.#spiedClock(),
    }
    this.waiting = openWaiting({
      ...parts,
      budget: this.budget,
      ids: systemIds,
      requiresConfirmation,
      maxSubscriptions,
      onTrouble,
    })
    this.execute = createExecute({
      ...parts,
      ...this.waiting,
      limits,
      ids: systemIds,
      sockets: new SocketTally(),
      process: { version: '0.1.0', host: 'node1', pid: 7, startedAt: clock.now() },
      probeStore: async () => false,
      poolEngines: null,
      urlSigner: null,
      rates: null,
      quotas: null,
      trusts: null,
      authorise: (permission) => !deniedPermissions.includes(permission),
      onTrouble,
    })
  }

  run<Input, Output>(operation: Operation<Input, Output>, input: Input, caller = SOMEBODY): Promise<Output> {
    const resource = { method: 'POST', path: '/v2/queues/jobs/subscriptions' }
    return this.execute(operation, () => input, caller, { id: 'req-1', resource })
  }

  async post(bodies: readonly string[], { queue = 'jobs', kind = 'queue' } = {}): Promise<readonly string[]> {
    const operation = kind === 'topic' ? onTopics(postMessages) : postMessages
    const messages = bodies.map((body) => ({ body: JSON.stringify(body) }))
    const { ids } = await this.run(operation, { queue, messages, bytes: 100 })
    await settled()
    return ids
  }

  async subscribe(
    receiver: Receiver,
    { caller = SOMEBODY, ...input }: Partial<SubscribeReceiverInput> & { readonly caller?: Caller } = {},
  ): Promise<Subscribed> {
    const subscribed = await this.run(subscribeReceiver, { queue: 'jobs', options: {}, receiver, ...input }, caller)
    subscribed.begin()
    await settled()
    return subscribed
  }

  /** Ids of the subscriptions of a queue. */
  async rows(queue = 'jobs'): Promise<string[]> {
    const { subscriptions } = await this.run(listSubscriptions, { queue })
    return subscriptions.map(({ id }) => id)
  }

  async pass(seconds: number): Promise<void> {
    this.clock.advance(seconds * 1000)
    await settled()
  }

  /** How often a method of the storage is called by something. */
  async callsOf(name: string, run: () => Promise<unknown>): Promise<number> {
    const before = this.calls.get(name) ?? 0
    await run()
    await settled()
    return (this.calls.get(name) ?? 0) - before
  }

  totalCalls(): number {
    return this.calls.values().reduce((sum, calls) => sum + calls, 0)
  }

  #spiedClock(): Clock {
    return {
      now: () => this.clock.now(),
      at: (instant, callback) => {
        const end = this.#began('timer', () => timer.cancel())
        const timer = this.clock.at(instant, () => {
          end()
          callback()
        })
        return { cancel: end }
      },
    }
  }

  /** `end` is called once. */
  #began(name: keyof typeof this.open, end: () => void): () => void {
    this.open[name] += 1
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      this.open[name] -= 1
      end()
    }
  }

  #spied(storage: Storage): Storage {
    const spied = <T extends object>(part: T, prefix: string): T =>
      new Proxy(part, {
        get: (target, property) => {
          const value = Reflect.get(target, property)
          if (typeof value !== 'function') return value
          return (...args: unknown[]) => this.#called(`${prefix}${String(property)}`, () => value.apply(target, args))
        },
      })
    return {
      ...storage,
      queues: spied(storage.queues, 'queues.'),
      messages: spied(storage.messages, 'messages.'),
      claims: spied(storage.claims, 'claims.'),
      subscriptions: spied(storage.subscriptions, 'subscriptions.'),
      watch: (queue, listener) => this.#began('watch', storage.watch(queue, listener)),
      watchSubscriptions: (queue, listener) =>
        this.#began('watchSubscriptions', storage.watchSubscriptions(queue, listener)),
      keepGone: (queue) =>
        this.#called('keepGone', async () => this.#began('keepGone', await storage.keepGone(queue))) as Promise<
          () => void
        >,
    }
  }

  async #called(name: string, run: () => unknown): Promise<unknown> {
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1)
    await this.before.get(name)?.()
    if (this.failing.has(name)) throw new StorageUnavailable('disk full')
    const answer = await run()
    if (this.forgets.has(name)) throw new StorageUnavailable('the connection broke')
    return this.dropsGone && name === 'messages.list' ? { ...(answer as object), missed: true } : answer
  }
}

export async function openScene(t: TestContext, terms: SceneTerms = {}): Promise<Scene> {
  const clock = new ManualClock()
  const storage = await openSqlite({ path: ':memory:', clock })
  const scene = new Scene(clock, storage, terms)
  t.after(async () => {
    await scene.waiting.pushes.close()
    scene.waiting.longPolls.close()
    await storage.close()
    assert.deepEqual(scene.open, { watch: 0, watchSubscriptions: 0, keepGone: 0, timer: 0 })
  })
  return scene
}

/** Notes what is pushed to it. */
export class Connection implements Receiver {
  readonly id: string
  readonly seen: unknown[] = []
  readonly pages: Page[] = []
  readonly claims: Claim[] = []
  readonly pushes: Push[] = []
  /** Ids of subscriptions that may have missed something. */
  readonly missed: string[] = []
  /** Resolves when it has taken the page that it was handed last; null: it takes pages at once. */
  busy: PromiseWithResolvers<void> | null = null

  constructor(id: string) {
    this.id = id
  }

  onPage(push: Push, page: Page): void | Promise<void> {
    this.pushes.push(push)
    this.pages.push(page)
    this.seen.push(...page.messages.map(({ body }) => JSON.parse(body)))
    return this.busy?.promise
  }

  onClaim(push: Push, claim: Claim): void {
    this.pushes.push(push)
    this.claims.push(claim)
    this.seen.push(...claim.messages.map(({ body }) => JSON.parse(body)))
  }

  onMissed({ id }: Push): void {
    this.missed.push(id)
  }

  /** Takes pages at once from now on. */
  goOn(): void {
    this.busy?.resolve()
    this.busy = null
  }

  /** What it has seen since this was asked last. */
  news(): unknown[] {
    return this.seen.splice(0)
  }
}

export function connections(count: number): Connection[] {
  return Array.from({ length: count }, (_, i) => new Connection(`c${i}`))
}
