/**
 * Who takes the messages in consume.ts: a process of its own, since the client is what is measured here, and has one core
 * to itself. It runs what its parent asks for over IPC, one task at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConsumeOptions, Zaqar } from 'zaqar-client'
import { Connection } from './connection.ts'
import { usageOfAll } from './process-usage.ts'
import { PROJECT, requestBytes, type Target } from './target.ts'
import { claimTerms, finishedIn } from './workloads.ts'

export interface ConsumeLoad {
  readonly target: Target
  readonly queue: string
  readonly taker: Taker
  readonly warmUpSeconds: number
  readonly seconds: number
}

/** A consumer of the client, or requests that are made without it. */
export type Taker =
  | { readonly kind: 'consumer'; readonly options: Pick<ConsumeOptions, 'concurrency' | 'prefetch'> }
  | { readonly kind: 'requests'; readonly connections: number; readonly limit: number }

export interface ConsumeRate {
  readonly perSecond: number
  /** 1 is one core. */
  readonly serverCpu: number | null
  readonly takerCpu: number
}

process.on('message', async (task: ConsumeLoad) => {
  const result = await measure(task).catch((error: Error) => ({ error: error.message }))
  process.send?.(result)
})

async function measure({ target, queue, taker, warmUpSeconds, seconds }: ConsumeLoad): Promise<ConsumeRate> {
  let taken = 0
  const onTaken = (count: number) => {
    taken += count
  }
  const start = taker.kind === 'consumer' ? startConsumer : startRequests
  const stop = await start(target, queue, taker as never, onTaken)
  await sleep(1000 * warmUpSeconds)
  const begin = read(target, taken)
  await sleep(1000 * seconds)
  const end = read(target, taken)
  await stop()
  const passed = (end.at - begin.at) / 1000
  return {
    perSecond: (end.taken - begin.taken) / passed,
    serverCpu: begin.server && end.server && (end.server.cpuSeconds - begin.server.cpuSeconds) / passed,
    takerCpu: (end.cpuSeconds - begin.cpuSeconds) / passed,
  }
}

function read({ pid }: Target, taken: number) {
  const { user, system } = process.cpuUsage()
  return { at: performance.now(), taken, server: usageOfAll([pid]), cpuSeconds: (user + system) / 1e6 }
}

type Stop = () => Promise<unknown>

async function startConsumer(
  { host, port, pathPrefix }: Target,
  queue: string,
  { options }: Taker & { kind: 'consumer' },
  onTaken: (count: number) => void,
): Promise<Stop> {
  const zaqar = new Zaqar({ url: `http://${host}:${port}${pathPrefix}`, project: PROJECT })
  const consumer = zaqar.queue(queue).consume(() => onTaken(1), options)
  return () => Promise.all([consumer.stop(), consumer.ended])
}

/** Each names what the one before has brought as done. */
async function startRequests(
  target: Target,
  queue: string,
  { connections, limit }: Taker & { kind: 'requests' },
  onTaken: (count: number) => void,
): Promise<Stop> {
  let isOver = false
  const { promise: failed, reject } = Promise.withResolvers<never>()
  failed.catch(() => {}) // It may fail before anybody waits for it.
  const take = async (connection: Connection) => {
    for (let finished: readonly object[] = []; !isOver; ) {
      const body = { ...claimTerms, delete: finished }
      const answer = await connection.ask(
        requestBytes(target, 'POST', `/v2/queues/${queue}/claims?limit=${limit}`, body),
      )
      if (answer.status !== 201) throw new Error(`taking: ${answer.status} ${answer.body}`)
      finished = finishedIn(answer.body)
      onTaken(finished.length)
    }
    connection.close()
  }
  const opened = await Promise.all(
    Array.from({ length: connections }, () => Connection.open(target.host, target.port, reject)),
  )
  const all = Promise.all(opened.map(take))
  all.catch(reject)
  return () => {
    isOver = true
    return Promise.race([all, failed])
  }
}
