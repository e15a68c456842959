import type { Instant, QueueKey } from '../../../model/model.ts'
import {
  type NewMessage,
  type QueueEngine,
  type QueueHandle,
  STALE,
  type Stale,
  StorageUnavailable,
} from '../../../storage/contract.ts'
import { type Context, defineOperation, type ServingProcess } from '../../execute.ts'
import { OWN_PROJECT } from '../../rules/projects.ts'

export interface Health {
  readonly isReachable: boolean
  /** In the order in which they were made; what a failed one stands in the way of was not tried. */
  readonly trials: readonly Trial[]
  /** Of each pool, by name; null where there are none. */
  readonly pools: readonly PoolHealth[] | null
  /** How the storage keeps what it is given less well than it could, in a sentence, or null. */
  readonly weakness: string | null
  /** Of this process. */
  readonly sockets: SocketCounts
  readonly process: ServingProcess & { readonly engine: string }
}

export interface PoolHealth extends Pick<Health, 'isReachable' | 'trials'> {
  readonly name: string
}

interface SocketCounts {
  /** That are open now. */
  readonly connections: number
  /** That push to them now. */
  readonly subscriptions: number
  /** Frames that asked for something, so far. */
  readonly requests: number
  /** Messages that were handed to connections, so far. */
  readonly pushed: number
  /** Connections that were closed because they were too slow, so far. */
  readonly dropped: number
}

export interface Trial {
  readonly step: Step
  readonly seconds: number
  /** Of a failed trial: what to look for in the log. Null when it succeeded. */
  readonly ref: string | null
}

type Step =
  | 'createQueue'
  | 'postMessages'
  | 'claimMessages'
  | 'listMessages'
  | 'deleteMessages'
  | 'deleteClaim'
  | 'deleteManyMessages'
  | 'deleteQueue'

const MESSAGES = 100
const PAGE = 10
const MESSAGE_TTL_SECONDS = 600
const CLAIM_SECONDS = 60

/** Does what clients do, on a queue of its own that no client can name. */
export const getHealth = defineOperation({
  name: 'service.health',
  permission: 'health:get',
  failure: 'Health status could not be read',
  async run(_input: undefined, ctx): Promise<Health> {
    const { storage, pushes, sockets } = ctx
    const isReachable = await answers(storage)
    // Where there are pools, queues are made on them.
    const trials = ctx.poolEngines === null ? await makeTrials(ctx, storage) : []
    const pools = ctx.poolEngines && (await Promise.all(ctx.poolEngines.names().map((name) => poolHealth(ctx, name))))
    const { connections, requests, dropped } = sockets
    const { subscriptions, pushed } = pushes.counts()
    const counts = { connections, subscriptions, requests, pushed, dropped }
    const process = { ...ctx.process, engine: storage.abilities.engine }
    return { isReachable, trials, pools, weakness: storage.weakness(), sockets: counts, process }
  },
})

function answers(engine: QueueEngine): Promise<boolean> {
  return engine.ping().then(
    () => true,
    () => false,
  )
}

async function poolHealth(ctx: Context, name: string): Promise<PoolHealth> {
  try {
    const engine = await ctx.poolEngines?.open(name)
    if (!engine) return { name, isReachable: false, trials: [] }
    return { name, isReachable: await answers(engine), trials: await makeTrials(ctx, engine) }
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error
    ctx.report(error)
    return { name, isReachable: false, trials: [] }
  }
}

type Attempt = <T>(step: Step, action: (now: Instant) => Promise<T | Stale>) => Promise<T>

async function makeTrials(ctx: Context, engine: QueueEngine): Promise<Trial[]> {
  const { clock, callId } = ctx
  const trials: Trial[] = []
  const attempt: Attempt = async (step, action) => {
    const start = clock.now()
    const end = (ref: string | null) => trials.push({ step, seconds: (clock.now() - start) / 1000, ref })
    try {
      const answer = await action(start)
      if (answer === STALE) throw new Error(`${step}: somebody else has changed the queue`)
      end(null)
      return answer
    } catch (error) {
      ctx.report(error)
      end(callId)
      throw error
    }
  }
  // Whatever failed is among the trials.
  await tryQueue(attempt, engine, ctx).catch(() => {})
  return trials
}

async function tryQueue(attempt: Attempt, engine: QueueEngine, { ids }: Context): Promise<void> {
  const key: QueueKey = { project: OWN_PROJECT, kind: 'queue', name: ids.randomId() }
  const { queue } = await attempt('createQueue', (now) => engine.queues.create({ key, metadata: '{}', now }))
  try {
    await tryMessages(queue, attempt, engine)
  } finally {
    await attempt('deleteQueue', (now) => engine.queues.delete({ queue, now }))
  }
}

async function tryMessages(
  queue: QueueHandle,
  attempt: Attempt,
  { messages, claims }: Pick<QueueEngine, 'messages' | 'claims'>,
): Promise<void> {
  const posted = await attempt('postMessages', (now) =>
    messages.append({ queue, clientId: '', messages: testMessages(), now }),
  )
  if (posted === 'conflict') return
  const claim = await attempt('claimMessages', async (now) => {
    const terms = { limit: PAGE, ttlSeconds: CLAIM_SECONDS, graceSeconds: CLAIM_SECONDS, deadLetter: null }
    const made = await claims.create({ queue, ...terms, now })
    if (made === null) throw new Error('no message could be claimed')
    return made
  })
  await attempt('listMessages', (now) =>
    messages.list({
      queue,
      after: null,
      limit: PAGE,
      hideClientId: null,
      includeClaimed: false,
      includeDelayed: false,
      now,
    }),
  )
  await attempt('deleteMessages', async (now) => {
    for (const { id } of claim.messages) await messages.delete({ queue, id, claimId: claim.id, now })
  })
  await attempt('deleteClaim', (now) => claims.release({ queue, claimId: claim.id, now }))
  await attempt('deleteManyMessages', (now) => messages.deleteMany({ queue, ids: posted.ids, claimIds: null, now }))
}

function testMessages(): NewMessage[] {
  return Array.from({ length: MESSAGES }, (_, i) => ({
    body: `{"event": "p_${i}"}`,
    ttlSeconds: MESSAGE_TTL_SECONDS,
    delaySeconds: 0,
  }))
}
