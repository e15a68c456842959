/**
 * The load generator: a process of its own, so that it shares no event loop with what it measures. It runs what its
 * parent asks for over IPC, one task at a time, and answers what it saw; see generator.ts for the parent's side.
 */
import { Connection } from './connection.ts'
import type { EchoAnswer } from './echo.ts'
import { type Usage, usageOfAll } from './process-usage.ts'
import { Samples } from './statistics.ts'
import { requestBytes, type Target } from './target.ts'
import { postOf, type Step, type WorkloadName, workloadNamed } from './workloads.ts'

export interface RunTask {
  readonly kind: 'run'
  /** Connections are dealt out to these in turn. */
  readonly targets: readonly Target[]
  readonly workload: WorkloadName
  /** Connections to one target are dealt out to these in turn. */
  readonly queues: readonly string[]
  readonly connections: number
  readonly warmUpSeconds: number
  readonly seconds: number
  /**
   * Cycles a second, evenly spaced, whatever the server does; null: each connection sends as soon as it has its answer.
   */
  readonly cyclesPerSecond: number | null
}

interface FillTask {
  readonly kind: 'fill'
  readonly target: Target
  readonly queue: string
  readonly messages: number
}

export type Task = RunTask | FillTask

export interface RunFigures {
  readonly cyclesPerSecond: number
  /** Of whole cycles; under pacing from the moment at which the cycle was due. */
  readonly p50Milliseconds: number
  readonly p99Milliseconds: number
  readonly maxMilliseconds: number
  /** 1 is one core. This and the memory are those of all targets together. */
  readonly serverCpu: number | null
  readonly serverResidentBytes: number | null
  readonly loadCpu: number
  /** What the server answered in the first cycle. */
  readonly answers: readonly EchoAnswer[]
}

/** The queue held too few messages: how fast they were used up. */
export interface RanOut {
  readonly ranOutAtCyclesPerSecond: number
}

export type TaskResult = RunFigures | RanOut | { readonly filled: true } | { readonly error: string }

const FILL_CONNECTIONS = 8
const FILL_MESSAGES_PER_POST = 100
const PACING_TICK_MILLISECONDS = 1

process.on('message', async (task: Task) => {
  const result = await perform(task).catch((error: Error): TaskResult => ({ error: error.message }))
  process.send?.(result)
})

async function perform(task: Task): Promise<TaskResult> {
  return task.kind === 'fill' ? await fill(task) : await run(task)
}

async function fill({ target, queue, messages }: FillTask): Promise<TaskResult> {
  const path = `/v2/queues/${queue}/messages`
  let left = messages
  await withConnections([target], FILL_CONNECTIONS, (connections, fail) => {
    const full = requestBytes(target, 'POST', path, postOf(FILL_MESSAGES_PER_POST))
    return Promise.all(
      connections.map(
        ({ connection }) =>
          new Promise<void>((resolve) => {
            const post = () => {
              if (left <= 0) return resolve()
              const count = Math.min(left, FILL_MESSAGES_PER_POST)
              left -= count
              const request =
                count === FILL_MESSAGES_PER_POST ? full : requestBytes(target, 'POST', path, postOf(count))
              connection.send(request, (status, body) =>
                status === 201 ? post() : fail(new Error(`filling ${queue}: ${status} ${body}`)),
              )
            }
            post()
          }),
      ),
    )
  })
  return { filled: true }
}

async function run(task: RunTask): Promise<TaskResult> {
  const workload = workloadNamed(task.workload)
  const answers: EchoAnswer[] = []
  const latencies = new Samples()
  let stopped = false
  let recording = false
  let cycles = 0
  const startedAt = performance.now()

  const finishCycle = (cycleStartedAt: number) => {
    cycles++
    if (recording) latencies.add(performance.now() - cycleStartedAt)
  }

  try {
    return await withConnections(task.targets, task.connections, async (connections, fail) => {
      const stepsOf = new Map(connections.map((opened, i) => [opened, workload.steps(opened.target, queueOf(task, i))]))
      const cycle = (opened: Opened, onFinished: () => void) =>
        runCycle(opened, stepsOf.get(opened) ?? [], answers, fail, onFinished)
      const drained =
        task.cyclesPerSecond === null
          ? sendAtOnce(connections, cycle, finishCycle, () => stopped)
          : sendOnSchedule(connections, task.cyclesPerSecond, cycle, finishCycle, () => stopped)

      await sleep(task.warmUpSeconds)
      const begin = readMeters(task.targets)
      recording = true
      await sleep(task.seconds)
      recording = false
      const end = readMeters(task.targets)
      stopped = true
      await drained

      const seconds = (end.at - begin.at) / 1000
      const [p50 = Number.NaN, p99 = Number.NaN, max = Number.NaN] = latencies.percentiles(0.5, 0.99, 1)
      return {
        cyclesPerSecond: latencies.count / seconds,
        p50Milliseconds: p50,
        p99Milliseconds: p99,
        maxMilliseconds: max,
        serverCpu: begin.server && end.server && (end.server.cpuSeconds - begin.server.cpuSeconds) / seconds,
        serverResidentBytes: end.server?.residentBytes ?? null,
        loadCpu: (end.loadCpuSeconds - begin.loadCpuSeconds) / seconds,
        answers,
      }
    })
  } catch (error) {
    if (!(error instanceof NothingToClaim)) throw error
    return { ranOutAtCyclesPerSecond: cycles / ((performance.now() - startedAt) / 1000) }
  } finally {
    stopped = true
  }
}

function queueOf({ targets, queues }: RunTask, connection: number): string {
  return queues[Math.floor(connection / targets.length) % queues.length] as string
}

/** Zaqar answers a claim for which nothing is left with 204. */
class NothingToClaim extends Error {}

/** Sends the requests of one cycle, one after the other. `answers` gets those of the first cycle of all. */
function runCycle(
  opened: Opened,
  steps: readonly Step[],
  answers: EchoAnswer[],
  fail: (error: Error) => void,
  onFinished: () => void,
): void {
  const isChained = typeof steps[0]?.request === 'function'
  let index = 0
  const send = (previousAnswer: Buffer) => {
    const step = steps[index++]
    if (step === undefined) return onFinished()
    const request = typeof step.request === 'function' ? step.request(previousAnswer) : step.request
    opened.connection.send(request, (status, body) => {
      if (status !== step.status) return fail(unexpected(step, status, body))
      if (isChained && index === steps.length) opened.lastAnswer = Buffer.from(body)
      if (answers.length < index) answers.push({ method: methodOf(request), status, body: body.toString() })
      send(body)
    })
  }
  send(opened.lastAnswer)
}

function methodOf(request: Buffer): string {
  return request.toString('latin1', 0, request.indexOf(' '))
}

function unexpected(step: Step, status: number, body: Buffer): Error {
  if (step.status === 201 && status === 204) return new NothingToClaim()
  return new Error(`expected an answer ${step.status}, got ${status}: ${body}`)
}

type StartCycle = (connection: Opened, onFinished: () => void) => void

/** Closed loop: every connection is busy all the time. Resolves when the last cycle is over. */
function sendAtOnce(
  connections: readonly Opened[],
  start: StartCycle,
  finish: (startedAt: number) => void,
  isStopped: () => boolean,
): Promise<unknown> {
  return Promise.all(
    connections.map(
      (connection) =>
        new Promise<void>((resolve) => {
          const next = () => {
            if (isStopped()) return resolve()
            const startedAt = performance.now()
            start(connection, () => {
              finish(startedAt)
              next()
            })
          }
          next()
        }),
    ),
  )
}

/**
 * Open loop: cycles fall due at a fixed rate, and one that finds no idle connection waits for it while its time counts,
 * so that a server which stalls does not hide that by being asked less.
 */
function sendOnSchedule(
  connections: readonly Opened[],
  cyclesPerSecond: number,
  start: StartCycle,
  finish: (dueAt: number) => void,
  isStopped: () => boolean,
): Promise<void> {
  const idle = [...connections]
  const gapMilliseconds = 1000 / cyclesPerSecond
  let dueAt = performance.now()
  return new Promise((resolve) => {
    const sendWhatIsDue = () => {
      while (dueAt <= performance.now() && !isStopped()) {
        const connection = idle.pop()
        if (connection === undefined) return
        const cycleDueAt = dueAt
        dueAt += gapMilliseconds
        start(connection, () => {
          finish(cycleDueAt)
          idle.push(connection)
          sendWhatIsDue()
        })
      }
    }
    const timer = setInterval(() => {
      sendWhatIsDue()
      if (!isStopped() || idle.length < connections.length) return
      clearInterval(timer)
      resolve()
    }, PACING_TICK_MILLISECONDS)
  })
}

interface Meters {
  readonly at: number
  readonly server: Usage | null
  readonly loadCpuSeconds: number
}

function readMeters(targets: readonly Target[]): Meters {
  const { user, system } = process.cpuUsage()
  const server = usageOfAll(targets.map(({ pid }) => pid))
  return { at: performance.now(), server, loadCpuSeconds: (user + system) / 1e6 }
}

interface Opened {
  readonly connection: Connection
  readonly target: Target
  /** Of the last cycle, where the next one follows from it. */
  lastAnswer: Buffer
}

/** Opens connections, hands them to `use` and closes them; the first failure of any ends it all. */
async function withConnections<T>(
  targets: readonly Target[],
  count: number,
  use: (connections: Opened[], fail: (error: Error) => void) => Promise<T>,
): Promise<T> {
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {}) // It may fail before anybody waits for it.
  const opened: Opened[] = []
  try {
    for (const target of dealtOut(targets, count)) {
      const connection = await Connection.open(target.host, target.port, failure.reject)
      opened.push({ connection, target, lastAnswer: Buffer.alloc(0) })
    }
    return await Promise.race([use(opened, failure.reject), failure.promise])
  } finally {
    for (const { connection } of opened) connection.close()
  }
}

function dealtOut(targets: readonly Target[], count: number): Target[] {
  return Array.from({ length: Math.ceil(count / targets.length) }, () => targets)
    .flat()
    .slice(0, count)
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
