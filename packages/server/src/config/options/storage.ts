import { int } from '../kinds.ts'
import { type OptionGroup, withoutEffect } from '../option.ts'
import { postgresUri, storageUri } from '../storage-uri.ts'

export const storage = {
  name: 'storage',
  options: [
    {
      name: 'uri',
      key: 'storage.uri',
      kind: storageUri,
      default: 'sqlite:$data_dir/zaqar.db',
      meaning: 'Where queues and messages are kept.',
      flag: { name: 'storage', value: 'URI' },
    },
    {
      name: 'listen_uri',
      key: 'storage.listenUri',
      kind: postgresUri,
      default: null,
      meaning:
        'The address of PostgreSQL itself, where [storage] uri leads to a connection pooler in transaction mode: one ' +
        'connection listens, and such a pooler passes no notifications on.',
    },
    {
      name: 'connections',
      key: 'storage.connections',
      kind: int({ min: 1, max: 64 }),
      default: '4',
      meaning:
        'Connections of each process to PostgreSQL for requests that write, and as many for those that read; two more ' +
        'listen and ask for the time.',
    },
    { name: 'message_pipeline', noEffect: 'subscriptions are always told; see [notification] max_deliveries' },
    ...withoutEffect('upstream loads Python code by it', [
      'queue_pipeline',
      'claim_pipeline',
      'subscription_pipeline',
      'topic_pipeline',
    ]),
  ],
} as const satisfies OptionGroup
