import { postMessages } from '../../core/operations/messages/post-messages.ts'
import { createQueue } from '../../core/operations/queues/create-queue.ts'
import { LEAST_SECONDS, type Limits } from '../../core/rules/limits.ts'
import { all, altered, described, told } from '../older.ts'
import { between, type JsonSchema } from '../openapi/json-schema.ts'
import { withBody } from '../openapi/restate.ts'
import { Type } from '../typed-schema.ts'

/** What is read of a POST; a `delay` is dropped. */
const PostedMessages = Type.Object({
  messages: Type.Array(Type.Object({ ttl: Type.Optional(Type.Integer()), body: Type.Unknown() })),
})

/** Size and ttl were those of the house, and nothing was ever delayed. (contract http.md 3.7.2, 6.7) */
export const postsDidNotHeedTheQueue = all(
  told(postMessages, { heedsQueueSettings: false }),
  altered(postMessages, () => ({ body: PostedMessages })),
  described(postMessages, ({ errors = [], ...newer }, { limits }) => {
    const fields = postedFields(limits)
    const ttl = { ...fields.ttl, default: limits.defaultMessageTtlSeconds }
    return {
      ...withBody(newer, () => ({
        description: `At most ${limits.maxMessagesPostBytes} bytes.`,
        properties: { messages: { minItems: 1, items: { properties: { ...fields, ttl } } } },
      })),
      errors: errors.filter((code) => !code.startsWith('message.delay')),
    }
  }),
  described(createQueue, (newer) => ({
    ...newer,
    description:
      'One that exists stays as it is. Messages create their queue too. What reserved attributes say of posts is heeded by ' +
      'those of newer versions.',
  })),
)

/** Of a message that is posted. */
export function postedFields({ maxMessageTtlSeconds }: Limits): Record<'ttl' | 'body', JsonSchema> {
  return {
    ttl: { description: 'Seconds.', ...between(LEAST_SECONDS, maxMessageTtlSeconds) },
    body: { description: 'Any JSON value.' },
  }
}
