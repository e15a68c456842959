import { int, queueNames, secret } from '../kinds.ts'
import type { OptionGroup } from '../option.ts'

export const metrics = {
  name: 'metrics',
  options: [
    {
      name: 'scrape_token',
      key: 'metrics.scrapeToken',
      kind: secret,
      default: null,
      meaning:
        'Token that lets somebody read `/metrics`, as `Authorization: Bearer TOKEN`. Without it they are open to everybody ' +
        'who reaches a loopback address without authentication or at `[http] admin_port`, elsewhere to the role admin.',
      reloads: true,
    },
    {
      name: 'max_projects',
      key: 'metrics.maxProjects',
      kind: int({ min: 0, max: 1000 }),
      default: '20',
      meaning: 'Projects with the most messages whose figures are shown; those of all others are summed as `other`.',
    },
    {
      name: 'queues',
      key: 'metrics.queues',
      kind: queueNames,
      default: '',
      meaning: 'Queues whose figures are shown one by one.',
    },
  ],
} as const satisfies OptionGroup
