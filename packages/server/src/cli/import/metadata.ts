/** Metadata of queues, from one side to the other. */
import type { Metadata } from 'zaqar-client/http'
import { printJson } from '../../model/json.ts'
import type { Json } from '../../model/model.ts'

/** Without what is but the default of the source, so that the destination's own hold. */
export function ownMetadata(shown: Metadata, defaults: Metadata): Metadata {
  const own = Object.entries(shown).filter(([key, value]) => !(key in defaults) || !isSame(value, defaults[key]))
  return Object.fromEntries(own)
}

function isSame(a: unknown, b: unknown): boolean {
  return printJson(a as Json) === printJson(b as Json)
}
