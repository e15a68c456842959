import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ask } from './ask.ts'
import type { Generator } from './generator.ts'
import { median, Samples } from './statistics.ts'
import type { Subject } from './subject.ts'
import type { Target } from './target.ts'
import type { Pace } from './throughput.ts'
import { postOf } from './workloads.ts'

/** From now on so many are awaited; answered when that is understood, and when they have come. */
export interface ReceiverOrder {
  readonly await: number
}

export interface ReceiverReport {
  readonly arrivals: readonly number[]
}

export interface NotificationsFigures {
  readonly posts: readonly PostsRow[]
  readonly deliveries: readonly DeliveriesRow[]
  readonly isolation: IsolationFigures
}

/** POSTs of one message to a queue with so many subscriptions. */
interface PostsRow {
  readonly subscriptions: number
  readonly postsPerSecond: number
  /** To the rate without subscriptions. */
  readonly ratio: number
}

interface DeliveriesRow {
  readonly title: string
  readonly subscriptions: number
  readonly messages: number
  readonly perSecond: number
}

/** What those wait whose receivers are well, while others never answer. */
interface IsolationFigures {
  readonly subscriptions: number
  readonly silent: number
  readonly p99Milliseconds: number
  readonly slowestMilliseconds: number
}

const SUBSCRIPTIONS = [0, 1, 10, 1000]
const ISOLATED = { subscriptions: 1000, silent: 100, rounds: 10, pauseMs: 500 }
const TTL_SECONDS = 3600

export async function measureNotifications(
  subject: Subject,
  generator: Generator,
  connections: number,
  pace: Pace,
): Promise<NotificationsFigures> {
  const posts: PostsRow[] = []
  for (const subscriptions of SUBSCRIPTIONS) {
    const rates: number[] = []
    while (rates.length < pace.turns) {
      rates.push(await postRate(subject, generator, { subscriptions, connections, pace }))
    }
    const postsPerSecond = median(rates)
    posts.push({ subscriptions, postsPerSecond, ratio: postsPerSecond / (posts[0]?.postsPerSecond ?? postsPerSecond) })
  }
  return {
    posts,
    deliveries: [
      await deliveryRate(subject, {
        title: 'to a receiver that answers at once',
        path: '/fast',
        count: 100,
        messages: 300,
      }),
      await deliveryRate(subject, { title: 'to one that takes 100 ms', path: '/slow', count: 1000, messages: 10 }),
    ],
    isolation: await isolation(subject),
  }
}

async function postRate(
  subject: Subject,
  generator: Generator,
  { subscriptions, connections, pace }: { subscriptions: number; connections: number; pace: Pace },
): Promise<number> {
  return withService(subject, async ({ target, receiver }, queue) => {
    await subscribe(target, queue, subscriptions, () => `${receiver.url}/fast`)
    const load = { workload: 'post', connections, cyclesPerSecond: null, ...pace } as const
    const { cyclesPerSecond } = await generator.runToEnd({ ...load, targets: [target], queues: [queue] })
    return cyclesPerSecond
  })
}

async function deliveryRate(
  subject: Subject,
  { title, path, count, messages }: { title: string; path: string; count: number; messages: number },
): Promise<DeliveriesRow> {
  return withService(subject, async ({ target, receiver }, queue) => {
    await subscribe(target, queue, count, () => `${receiver.url}${path}`)
    const arrived = await receiver.awaits(count * messages)
    const begun = performance.timeOrigin + performance.now()
    for (let posted = 0; posted < messages; posted += 10) await post(target, queue, 10)
    const last = (await arrived()).at(-1) ?? begun
    return { title, subscriptions: count, messages, perSecond: (1000 * count * messages) / (last - begun) }
  })
}

async function isolation(subject: Subject): Promise<IsolationFigures> {
  const { subscriptions, silent, rounds, pauseMs } = ISOLATED
  return withService(subject, async ({ target, receiver, silentReceiver }, queue) => {
    await subscribe(target, queue, subscriptions, (i) =>
      i % (subscriptions / silent) === 0 ? `${silentReceiver.url}/silent` : `${receiver.url}/fast`,
    )
    const waits = new Samples()
    for (let round = 0; round < rounds; round++) {
      const arrived = await receiver.awaits(subscriptions - silent)
      const begun = performance.timeOrigin + performance.now()
      await post(target, queue, 1)
      for (const at of await arrived()) waits.add(at - begun)
      await pause(pauseMs)
    }
    const [p99Milliseconds = Number.NaN, slowestMilliseconds = Number.NaN] = waits.percentiles(0.99, 1)
    return { subscriptions, silent, p99Milliseconds, slowestMilliseconds }
  })
}

interface Scene {
  readonly target: Target
  readonly receiver: Receiver
  readonly silentReceiver: Receiver
}

async function withService<T>(subject: Subject, run: (scene: Scene, queue: string) => Promise<T>): Promise<T> {
  const queue = 'notified'
  const receivers = [await Receiver.start(), await Receiver.start()] as const
  const server = await subject.start(queue)
  try {
    return await run({ target: server.target, receiver: receivers[0], silentReceiver: receivers[1] }, queue)
  } finally {
    await server.stop()
    for (const receiver of receivers) receiver.stop()
  }
}

/** The parent's side of receiver.ts. */
export class Receiver {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(): Promise<Receiver> {
    const child = fork(fileURLToPath(new URL('receiver.ts', import.meta.url)))
    const [port] = (await once(child, 'message')) as [number]
    return new Receiver(child, port)
  }

  /** From now on so many are awaited. Answers a function for the instants at which they came, in order. */
  async awaits(count: number): Promise<() => Promise<readonly number[]>> {
    const understood = once(this.#child, 'message')
    this.#child.send({ await: count } satisfies ReceiverOrder)
    await understood
    const arrived = once(this.#child, 'message') as Promise<[ReceiverReport]>
    return async () => (await arrived)[0].arrivals
  }

  stop(): void {
    this.#child.disconnect()
  }
}

export async function subscribe(
  target: Target,
  queue: string,
  count: number,
  subscriberOf: (i: number) => string,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const document = { subscriber: `${subscriberOf(i)}/${i}`, ttl: TTL_SECONDS }
    const { status, body } = await ask(target, 'POST', `/v2/queues/${queue}/subscriptions`, document)
    if (status !== 201) throw new Error(`subscribing: ${status} ${body}`)
  }
}

async function post(target: Target, queue: string, count: number): Promise<void> {
  const { status, body } = await ask(target, 'POST', `/v2/queues/${queue}/messages`, postOf(count))
  if (status !== 201) throw new Error(`posting: ${status} ${body}`)
}
