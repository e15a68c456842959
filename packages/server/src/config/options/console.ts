import { bool } from '../kinds.ts'
import type { OptionGroup } from '../option.ts'

export const console = {
  name: 'console',
  options: [
    {
      name: 'enabled',
      key: 'console.enabled',
      kind: bool,
      default: 'true',
      meaning: 'Serve the console, a page for people, at /console/.',
      reloads: true,
    },
  ],
} as const satisfies OptionGroup
