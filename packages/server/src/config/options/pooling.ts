import { allowedStores } from '../allowed-stores.ts'
import { bool } from '../kinds.ts'
import type { OptionGroup } from '../option.ts'

export const pooling = {
  name: 'pooling',
  options: [
    {
      name: 'allowed_uris',
      key: 'pooling.allowedUris',
      kind: allowedStores,
      default: null,
      meaning:
        'Stores that may be registered as pools, beside the one of the service itself; when it is not set, any PostgreSQL ' +
        'and files in the data folder.',
      repeats: true,
    },
  ],
} as const satisfies OptionGroup

export const poolingCatalog = {
  name: 'pooling:catalog',
  options: [
    {
      name: 'enable_virtual_pool',
      key: 'pooling.virtualPool',
      kind: bool,
      default: 'false',
      meaning: 'Put queues without a flavor that no pool can take into the store of the service itself.',
    },
  ],
} as const satisfies OptionGroup
