import type { OptionGroup } from '../option.ts'

/** Sections of libraries that upstream is built on. Nothing in them has an effect. */
export const libraries = [
  { name: 'cache', options: [], others: 'the service keeps its own caches' },
  { name: 'profiler', options: [], others: 'osprofiler is a library of Python' },
  { name: 'oslo_reports', options: [], others: 'these reports belong to a library of Python' },
  { name: 'oslo_middleware', options: [], others: 'upstream does not read it, either' },
  { name: 'oslo_concurrency', options: [], others: 'upstream does not read it, either' },
  { name: 'oslo_messaging_*', options: [], others: 'no message bus is used' },
] as const satisfies readonly OptionGroup[]
