import { int } from '../kinds.ts'
import type { OptionGroup } from '../option.ts'

const quota = int({ min: 0, max: 1_000_000_000_000 })
const rate = int({ min: 1, max: 1_000_000 })

export const projectLimits = {
  name: 'project_limits',
  options: [
    {
      name: 'max_queues',
      key: 'projectLimits.maxQueues',
      kind: quota,
      default: null,
      meaning: 'The most queues and topics of one project; without it there is no such limit.',
      reloads: true,
    },
    {
      name: 'max_messages',
      key: 'projectLimits.maxMessages',
      kind: quota,
      default: null,
      meaning: 'The most messages that one project keeps in all its queues; without it there is no such limit.',
      reloads: true,
    },
    {
      name: 'max_message_bytes',
      key: 'projectLimits.maxMessageBytes',
      kind: quota,
      default: null,
      meaning:
        'The most bytes that one project keeps: bodies of messages, metadata, subscriptions; without it there is no such limit.',
      reloads: true,
    },
    {
      name: 'max_requests_per_second',
      key: 'projectLimits.maxRequestsPerSecond',
      kind: rate,
      default: null,
      meaning: 'The most requests of one project in a second, on each process; without it there is no such limit.',
      reloads: true,
    },
    {
      name: 'max_messages_per_second',
      key: 'projectLimits.maxMessagesPerSecond',
      kind: rate,
      default: null,
      meaning:
        'The most messages that one project posts in a second, on each process; without it there is no such limit.',
      reloads: true,
    },
  ],
} as const satisfies OptionGroup
