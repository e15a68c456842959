import { ManualClock } from '../packages/conformance/src/clock.ts'
import type { Instant } from '../packages/server/src/model/model.ts'
import type { NewMessage, QueueHandle, Storage } from '../packages/server/src/storage/contract.ts'
import type { Store } from './stores.ts'
import { PROJECT } from './target.ts'
import { messageBody } from './workloads.ts'

/** What a queue holds: at its head messages that nobody can claim, if any, and behind them free ones. */
export interface Contents {
  readonly head: 'claimed' | 'delayed' | 'expired' | null
  readonly headMessages: number
  readonly freeMessages: number
}

export const QUEUE = 'backlog'

const MESSAGES_PER_APPEND = 1000
const MESSAGES_PER_CLAIM = 20
const HOUR_MILLISECONDS = 3_600_000
const CLAIM_TTL_SECONDS = 12 * 3600

type MessageTerms = Pick<NewMessage, 'ttlSeconds' | 'delaySeconds'>
const LONG_LIFE: MessageTerms = { ttlSeconds: 14 * 24 * 3600, delaySeconds: 0 }
const termsOf: Record<NonNullable<Contents['head']>, MessageTerms> = {
  claimed: LONG_LIFE,
  delayed: { ...LONG_LIFE, delaySeconds: 24 * 3600 },
  expired: { ttlSeconds: 60, delaySeconds: 0 },
}

/**
 * Gives the queue of an empty store these contents, without the service and without waiting: all of it happens an hour
 * ago, so that what lives for a minute is expired by now, but not removed. Answers the id of the newest message.
 */
export async function fill(store: Store, contents: Contents): Promise<string> {
  const clock = new ManualClock(Date.now() - HOUR_MILLISECONDS)
  const storage = await store.open(clock)
  const now = clock.now()
  const key = { project: PROJECT, kind: 'queue', name: QUEUE } as const
  const { queue } = await storage.queues.create({ key, metadata: metadataFor(contents), now })
  if (contents.head !== null) await append(storage, queue, contents.headMessages, termsOf[contents.head], now)
  if (contents.head === 'claimed') await claim(storage, queue, contents.headMessages, now)
  const newestId = await append(storage, queue, contents.freeMessages, LONG_LIFE, now)
  await storage.close()
  return newestId
}

/** Only in a queue that delays may a listing pass over delayed messages. */
function metadataFor({ head }: Contents): string {
  return head === 'delayed' ? '{"_default_message_delay": 60}' : '{}'
}

async function append(
  storage: Storage,
  queue: QueueHandle,
  count: number,
  terms: MessageTerms,
  now: Instant,
): Promise<string> {
  const message = { body: JSON.stringify(messageBody), ...terms }
  let newestId = ''
  for (let stored = 0; stored < count; stored += MESSAGES_PER_APPEND) {
    const messages = Array.from({ length: Math.min(MESSAGES_PER_APPEND, count - stored) }, () => message)
    const appended = await storage.messages.append({ queue, clientId: 'bench', messages, now })
    if (typeof appended === 'string') throw new Error(`filling was answered with '${appended}'`)
    newestId = appended.ids.at(-1) ?? ''
  }
  return newestId
}

async function claim(storage: Storage, queue: QueueHandle, count: number, now: Instant): Promise<void> {
  const terms = { ttlSeconds: CLAIM_TTL_SECONDS, graceSeconds: 60, deadLetter: null, now }
  for (let taken = 0; taken < count; taken += MESSAGES_PER_CLAIM) {
    await storage.claims.create({ queue, limit: Math.min(MESSAGES_PER_CLAIM, count - taken), ...terms })
  }
}
