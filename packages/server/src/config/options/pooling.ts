import { allowedStores } from '../allowed-stores.ts'
import { notYet, type OptionGroup } from '../option.ts'

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
  options: [{ name: 'enable_virtual_pool', noEffect: notYet }],
} as const satisfies OptionGroup
