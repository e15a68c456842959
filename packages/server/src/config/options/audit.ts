import { path } from '../kinds.ts'
import type { OptionGroup } from '../option.ts'

export const audit = {
  name: 'audit',
  options: [
    {
      name: 'file',
      key: 'audit.file',
      kind: path,
      default: null,
      meaning:
        'File that gets a line of JSON for each operation: who did what, and what became of it; -: standard output. ' +
        'Without it there is no audit log.',
    },
  ],
} as const satisfies OptionGroup
