import { secret, secretLines } from '../kinds.ts'
import type { OptionGroup } from '../option.ts'

export const signedUrl = {
  name: 'signed_url',
  options: [
    {
      name: 'secret_key',
      key: 'signedUrls.secretKey',
      kind: secret,
      default: null,
      meaning:
        'Key that URLs are signed with, the same on all nodes. Without it none can be signed, save that a server without ' +
        'Keystone makes a key and keeps it in its data folder.',
    },
    {
      name: 'previous_secret_keys',
      key: 'signedUrls.previousSecretKeys',
      kind: secretLines,
      default: '',
      meaning: 'Keys that sign no more but whose signatures are still good.',
      repeats: true,
    },
  ],
} as const satisfies OptionGroup
