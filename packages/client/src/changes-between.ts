import type { Metadata } from './documents.ts'
import type { MetadataChange } from './topic.ts'

export interface ChangesOptions {
  /** What is there now, where that may be something else than `before`: only what is there is removed. */
  readonly present?: Metadata
  /** How values are written to see whether they are the same; `JSON.stringify` where it is not given. */
  readonly stringify?: (value: unknown) => string
}

/** What brings metadata of a queue from `before` to `after`, for `update`. What neither of these has stays as it is. */
export function changesBetween(
  before: Metadata,
  after: Metadata,
  { present = before, stringify = JSON.stringify }: ChangesOptions = {},
): MetadataChange[] {
  const removed = Object.keys(before)
    .filter((key) => !Object.hasOwn(after, key) && Object.hasOwn(present, key))
    .map((key) => ({ op: 'remove' as const, path: pathOf(key) }))
  const set = Object.entries(after)
    .filter(([key, value]) => !Object.hasOwn(before, key) || stringify(value) !== stringify(before[key]))
    .map(([key, value]) => ({ op: 'add' as const, path: pathOf(key), value }))
  return [...removed, ...set]
}

function pathOf(key: string): string {
  return `/metadata/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
