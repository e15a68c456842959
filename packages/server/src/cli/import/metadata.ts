/** Metadata of queues, from one side to the other. */
import type { Metadata, MetadataChange } from 'zaqar-client/http'
import { printJson } from '../../model/json.ts'
import type { Json } from '../../model/model.ts'

/** Without what is but the default of the source, so that the destination's own hold. */
export function ownMetadata(shown: Metadata, defaults: Metadata): Metadata {
  const own = Object.entries(shown).filter(([key, value]) => !(key in defaults) || !isSame(value, defaults[key]))
  return Object.fromEntries(own)
}

/** What brings `present` from `before` to `after`; what neither of these has stays. */
export function changesBetween(before: Metadata, after: Metadata, present: Metadata): MetadataChange[] {
  const removed = Object.keys(before)
    .filter((key) => !(key in after) && key in present)
    .map((key) => ({ op: 'remove' as const, path: pathOf(key) }))
  const set = Object.entries(after)
    .filter(([key, value]) => !(key in before) || !isSame(value, before[key]))
    .map(([key, value]) => ({ op: 'add' as const, path: pathOf(key), value }))
  return [...removed, ...set]
}

function pathOf(key: string): string {
  return `/metadata/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function isSame(a: unknown, b: unknown): boolean {
  return printJson(a as Json) === printJson(b as Json)
}
