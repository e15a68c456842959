import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Generator } from './generator.ts'
import { startSocketEcho, temporaryFolder } from './service.ts'
import type {
  ConsumeTask,
  IdleFigures,
  PushesTask,
  RateFigures,
  RequestsTask,
  SlowFigures,
  SlowTask,
  SocketEncoding,
  SocketResult,
  SocketTask,
} from './socket-load.ts'
import { median, medianBy } from './statistics.ts'
import type { Subject } from './subject.ts'
import type { Target } from './target.ts'
import { TaskProcess } from './task-process.ts'
import type { Pace } from './throughput.ts'
import { claimTerms, postOf, type WorkloadName } from './workloads.ts'

export interface SocketsFigures {
  readonly requests: readonly SocketRequestsRow[]
  readonly consuming: ConsumingFigures
  readonly pushes: PushesFigures
  readonly idle: IdleFigures & { readonly sockets: number }
  readonly slow: SlowFigures & { readonly sockets: number }
}

/** Requests a second, all taking turns on the same service; the echo has frames of the same bytes. */
interface SocketRequestsRow {
  readonly title: string
  readonly connections: number
  readonly http: number
  readonly json: number
  readonly msgpack: number
  readonly echo: number
  /** To the rate over HTTP in the same turn. */
  readonly jsonToHttp: number
  readonly msgpackToHttp: number
}

/** Messages that are taken and deleted, a second. */
interface ConsumingFigures {
  readonly connections: number
  readonly one: number
  readonly finishing: number
  readonly ten: number
  readonly json: number
  readonly msgpack: number
  /** Of JSON to one message after the other over HTTP in the same turn. */
  readonly ratio: number
}

interface PushesFigures extends RateFigures {
  readonly sockets: number
}

const CONNECTIONS = [1, 100]
const CONSUMERS = 32
/** As many as one frame may delete by default. */
const HELD = 20
const PUSHED_SOCKETS = 1000
const IDLE_SOCKETS = 10_000
/** More than a socket takes in without being read, on both sides. */
const SLOW = { sockets: 1000, messages: 200, messageBytes: 50_000 }
/** What a queue must hold so that a run does not take all: more than any encoding reaches. */
const CLAIMS_PER_SECOND = { alone: 10_000, together: 45_000 }
const CONSUMED_PER_SECOND = { one: 15_000, finishing: 20_000, ten: 60_000, pushed: 70_000 }
/** There are many runs, so each is shorter than those of other parts. */
const SHORTER = 0.3
const CONFIG = `[drivers:transport:websocket]
max_connections_per_project = 20000
max_subscriptions_per_project = 20000
`

export async function measureSockets(subject: Subject, generator: Generator, pace: Pace): Promise<SocketsFigures> {
  const bench = new SocketBench(subject, generator, {
    ...pace,
    warmUpSeconds: pace.warmUpSeconds * SHORTER,
    seconds: pace.seconds * SHORTER,
  })
  try {
    return {
      requests: await bench.requests(),
      consuming: await bench.consuming(),
      pushes: await bench.pushes(),
      idle: await bench.idle(),
      slow: await bench.slow(),
    }
  } finally {
    bench.stop()
  }
}

class SocketBench {
  readonly #subject: Subject
  readonly #generator: Generator
  readonly #pace: Pace
  readonly #process = new TaskProcess<SocketTask, SocketResult>('socket-load.ts')
  readonly #folder = temporaryFolder()
  readonly #flags: readonly string[]
  #queues = 0

  constructor(subject: Subject, generator: Generator, pace: Pace) {
    this.#subject = subject
    this.#generator = generator
    this.#pace = pace
    const file = join(this.#folder.path, 'zaqar.conf')
    writeFileSync(file, CONFIG)
    this.#flags = ['--config-file', file]
  }

  stop(): void {
    this.#process.stop()
    this.#folder.remove()
  }

  async requests(): Promise<SocketRequestsRow[]> {
    const rows: SocketRequestsRow[] = []
    for (const kind of KINDS) {
      for (const connections of CONNECTIONS) rows.push(await this.#requests(kind, connections))
    }
    return rows
  }

  #requests(kind: Kind, connections: number): Promise<SocketRequestsRow> {
    return this.#withService(async (target) => {
      const filling = kind.takes * (connections === 1 ? CLAIMS_PER_SECOND.alone : CLAIMS_PER_SECOND.together)
      const turns: { http: number; json: number; msgpack: number; echo: number }[] = []
      while (turns.length < this.#pace.turns) {
        const over = async (encoding: SocketEncoding) =>
          this.#requestsOver(encoding, kind, connections, target, await this.#queue(target, filling))
        turns.push({
          http: await this.#http(kind.workload, connections, target, await this.#queue(target, filling)),
          json: await over('json'),
          msgpack: await over('msgpack'),
          echo: await this.#echo(kind, connections),
        })
      }
      const of = (figure: 'http' | 'json' | 'msgpack' | 'echo') => median(turns.map((turn) => turn[figure]))
      return {
        title: kind.title,
        connections,
        http: of('http'),
        json: of('json'),
        msgpack: of('msgpack'),
        echo: of('echo'),
        jsonToHttp: median(turns.map(({ json, http }) => json / http)),
        msgpackToHttp: median(turns.map(({ msgpack, http }) => msgpack / http)),
      }
    })
  }

  async #http(workload: WorkloadName, connections: number, target: Target, queue: string): Promise<number> {
    const load = { workload, connections, cyclesPerSecond: null, ...this.#pace }
    return (await this.#generator.runToEnd({ ...load, targets: [target], queues: [queue] })).cyclesPerSecond
  }

  async #requestsOver(
    encoding: SocketEncoding,
    { action, body, status }: Kind,
    sockets: number,
    target: Target,
    queue: string,
  ): Promise<number> {
    const request = { action, body: { queue_name: queue, ...body }, status }
    return await this.#rate({ kind: 'requests', target, sockets, encoding, ...request, ...this.#pace })
  }

  async #echo({ action, body }: Kind, sockets: number): Promise<number> {
    const echo = await startSocketEcho()
    try {
      const request = { action, body: { queue_name: 'bench-0', ...body }, status: null }
      const { target } = echo
      return await this.#rate({ kind: 'requests', target, sockets, encoding: 'json', ...request, ...this.#pace })
    } finally {
      await echo.stop()
    }
  }

  consuming(): Promise<ConsumingFigures> {
    return this.#withService(async (target) => {
      const turns: Omit<ConsumingFigures, 'connections' | 'ratio'>[] = []
      const filled = (kind: keyof typeof CONSUMED_PER_SECOND) => this.#queue(target, CONSUMED_PER_SECOND[kind])
      const http = (workload: WorkloadName, queue: string) => this.#http(workload, CONSUMERS, target, queue)
      const pushed = async (encoding: SocketEncoding) => {
        const consume = { queue: await filled('pushed'), sockets: CONSUMERS, encoding, limit: HELD }
        return this.#rate({ kind: 'consume', target, ...consume, ...this.#pace })
      }
      while (turns.length < this.#pace.turns) {
        turns.push({
          one: await http('claim-1-delete-1', await filled('one')),
          finishing: await http('finish-and-take', await filled('finishing')),
          ten: 10 * (await http('claim-10-delete-10', await filled('ten'))),
          json: await pushed('json'),
          msgpack: await pushed('msgpack'),
        })
      }
      const ratioOf = ({ json, one }: (typeof turns)[number]) => json / one
      return { connections: CONSUMERS, ...medianBy(turns, ratioOf), ratio: median(turns.map(ratioOf)) }
    })
  }

  pushes(): Promise<PushesFigures> {
    return this.#withService(async (target) => {
      const runs: RateFigures[] = []
      while (runs.length < this.#pace.turns) {
        const queue = await this.#queue(target, 0)
        const task = { kind: 'pushes', target, queue, sockets: PUSHED_SOCKETS, seconds: this.#pace.seconds } as const
        runs.push((await this.#process.perform(task)) as RateFigures)
      }
      return { sockets: PUSHED_SOCKETS, ...medianBy(runs, ({ perSecond }) => perSecond) }
    })
  }

  idle(): Promise<SocketsFigures['idle']> {
    return this.#withService(async (target) => {
      const task = { kind: 'idle', target, queue: await this.#queue(target, 0), sockets: IDLE_SOCKETS } as const
      return { ...((await this.#process.perform(task)) as IdleFigures), sockets: IDLE_SOCKETS }
    })
  }

  slow(): Promise<SocketsFigures['slow']> {
    return this.#withService(async (target) => {
      const task: SlowTask = { kind: 'slow', target, queue: await this.#queue(target, 0), ...SLOW }
      return { ...((await this.#process.perform(task)) as SlowFigures), sockets: SLOW.sockets }
    })
  }

  async #rate(task: RequestsTask | ConsumeTask | PushesTask): Promise<number> {
    return ((await this.#process.perform(task)) as RateFigures).perSecond
  }

  /** A new one, with so many messages for each second of a run. */
  async #queue(target: Target, messagesPerSecond: number): Promise<string> {
    const queue = `bench-${this.#queues++}`
    const seconds = this.#pace.warmUpSeconds + this.#pace.seconds
    await this.#generator.fill(target, queue, Math.ceil(messagesPerSecond * seconds))
    return queue
  }

  async #withService<T>(use: (target: Target) => Promise<T>): Promise<T> {
    const server = await this.#subject.start('bench', this.#flags)
    try {
      return await use(server.target)
    } finally {
      await server.stop()
    }
  }
}

/** A request that there is over HTTP and over sockets. */
interface Kind {
  readonly title: string
  readonly workload: WorkloadName
  readonly action: string
  readonly body: object
  readonly status: number
  /** Messages that each request takes. */
  readonly takes: number
}

const KINDS: readonly Kind[] = [
  { title: 'POST 1', workload: 'post', action: 'message_post', body: postOf(1), status: 201, takes: 0 },
  {
    title: 'claim 1',
    workload: 'claim',
    action: 'claim_create',
    body: { limit: 1, ...claimTerms },
    status: 201,
    takes: 1,
  },
]
