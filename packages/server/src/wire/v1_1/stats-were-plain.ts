import { getQueueStats } from '../../core/operations/queues/get-queue-stats.ts'
import { all, described, knowing, shaped } from '../older.ts'
import { type JsonSchema, withoutProperties } from '../openapi/json-schema.ts'

/** Details are an addition of this service, which old versions need not have. */
export const statsWerePlain = all(
  knowing(getQueueStats, []),
  described(getQueueStats, ({ query: _details, ...newer }) => ({
    ...newer,
    examples: newer.examples.filter(({ name }) => name !== 'detailed'),
  })),
  shaped('Stats', (newer) => {
    const { messages } = newer['properties'] as { messages: JsonSchema }
    return { ...newer, properties: { messages: withoutProperties(messages, ['delayed', 'rates']) } }
  }),
)
