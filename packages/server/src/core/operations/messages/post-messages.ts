import type { Json } from '../../../model/model.ts'
import type { Appended, NewMessage } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import { type Context, defineOperation } from '../../execute.ts'
import type { ProjectQuotas } from '../../project-quotas.ts'
import type { OpenQueue } from '../../queue-directory.ts'
import { integerOf } from '../../rules/integers.ts'
import { checkRange, LEAST_SECONDS, type Limits } from '../../rules/limits.ts'
import { type QueueSettings, settingsOf } from '../../rules/reserved-attributes.ts'

export interface PostMessagesInput {
  readonly queue: string
  readonly messages: readonly PostedMessage[]
  /** Size of the document that brought them. */
  readonly bytes: number
  /** A missing queue is created when it does not say. */
  readonly whenMissing?: 'create' | 'fail'
  /**
   * Whether size, ttl and delay follow from the queue; when they do not, those of the house hold and nothing is
   * delayed.
   */
  readonly heedsQueueSettings?: boolean
  /** Makes a repetition harmless: the same key with the same digest answers what the first POST answered. */
  readonly idempotency?: { readonly key: string; readonly digest: string } | undefined
}

export interface PostedMessage {
  /** JSON text. */
  readonly body: string
  readonly ttlSeconds?: number | undefined
  /** Looked at only when the queue delays, and so not checked before. */
  readonly delay?: Json | undefined
}

/** Stores all messages or none. Answers their ids in order. */
export const postMessages = defineOperation({
  name: 'messages.post',
  permission: 'messages:create',
  failure: 'Messages could not be enqueued',
  async run(input: PostMessagesInput, ctx: Context): Promise<{ ids: readonly string[] }> {
    const { caller, key, now, limits, queues } = ctx
    const { whenMissing = 'create', heedsQueueSettings = true } = input
    if (input.messages.length === 0) throw new ZaqarError('messages.none')
    // What no queue would take is refused before one is created for it.
    checkTtls(input.messages, limits)
    ctx.rates?.countMessages(caller.project, input.messages.length, now)
    const idempotency = input.idempotency && {
      ...input.idempotency,
      expiresAt: now + limits.idempotencySeconds * 1000,
    }
    const append = (queue: OpenQueue) => {
      const settings = heedsQueueSettings ? queue.settings : settingsOf(queue.kind, '{}', limits)
      if (input.bytes > settings.maxMessagesPostBytes) {
        const { maxMessagesPostBytes: max } = settings
        throw new ZaqarError('messages.too_large', { max, ceiling: limits.maxMessagesPostBytes })
      }
      const messages = input.messages.map((message) => settle(message, settings, limits))
      return ctx.storage.messages.append({ queue, clientId: caller.clientId, messages, idempotency, now })
    }
    const queueKey = key(input.queue)
    const post = () =>
      whenMissing === 'create' ? queues.useOrCreate(queueKey, now, append) : queues.use(queueKey, now, append)
    const appended = await (ctx.quotas === null ? post() : withinQuotas(ctx.quotas, post, input, ctx))
    if (appended === null) throw new ZaqarError('queue.not_found', { queue: input.queue, project: caller.project })
    if (appended !== 'conflict') {
      ctx.tally.countPosted(queueKey, appended.ids.length, now)
      return appended
    }
    throw new ZaqarError('idempotency.other_messages', { key: idempotency?.key })
  },
})

function withinQuotas(
  quotas: ProjectQuotas,
  post: () => Promise<Appended | 'conflict' | null>,
  { messages, idempotency }: PostMessagesInput,
  { caller, now }: Context,
): Promise<Appended | 'conflict' | null> {
  const texts = [...messages.map(({ body }) => body), idempotency?.key ?? '', idempotency?.digest ?? '']
  return quotas.add(caller.project, now, {
    messages: messages.length,
    bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    run: post,
    hasAdded: (answer) => answer !== null && answer !== 'conflict',
  })
}

function checkTtls(messages: readonly PostedMessage[], { maxMessageTtlSeconds }: Limits): void {
  for (const { ttlSeconds } of messages) {
    if (ttlSeconds !== undefined)
      checkRange(ttlSeconds, LEAST_SECONDS, maxMessageTtlSeconds, 'message.ttl_out_of_range')
  }
}

/** The message says first, then the queue, then the house. */
function settle({ body, ttlSeconds: ttl, delay }: PostedMessage, settings: QueueSettings, limits: Limits): NewMessage {
  const ttlSeconds = ttl ?? settings.defaultMessageTtlSeconds
  const delaySeconds = settings.defaultMessageDelaySeconds > 0 ? delayOf(delay, settings, limits) : 0
  if (delaySeconds >= ttlSeconds) throw new ZaqarError('message.never_visible', { delaySeconds, ttlSeconds })
  return { body, ttlSeconds, delaySeconds }
}

function delayOf(delay: Json | undefined, { defaultMessageDelaySeconds }: QueueSettings, limits: Limits): number {
  if (delay === undefined) return defaultMessageDelaySeconds
  const seconds = integerOf(delay)
  if (seconds === null) throw new ZaqarError('message.delay_no_integer')
  checkRange(seconds, 0, limits.maxMessageDelaySeconds, 'message.delay_out_of_range')
  return seconds
}
