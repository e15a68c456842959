import { ZaqarError } from '../errors.ts'
import type { Json, JsonObject } from '../model/model.ts'

/** One step of a change to queue metadata, a subset of JSON patch. (contract http.md 5) */
export type MetadataChange =
  | { readonly op: 'add' | 'replace'; readonly key: string; readonly value: Json }
  | { readonly op: 'remove'; readonly key: string }

/**
 * The metadata after all changes, applied one after the other. `replace` and `remove` want the key to be there, except
 * the reserved ones, which are always shown and so count as there.
 * @throws ZaqarError patch.target_missing
 */
export function applyChanges(
  metadata: Readonly<JsonObject>,
  changes: readonly MetadataChange[],
  reserved: Readonly<JsonObject>,
): JsonObject {
  const result: JsonObject = { ...metadata }
  for (const change of changes) {
    const { op, key } = change
    const there = Object.hasOwn(result, key)
    if (op !== 'add' && !there && !Object.hasOwn(reserved, key)) {
      throw new ZaqarError('patch.target_missing', { op, key, path: `/metadata/${key}` })
    }
    if (change.op === 'remove') delete result[key]
    // Not an assignment: a key may be called __proto__.
    else
      Object.defineProperty(result, key, { value: change.value, enumerable: true, configurable: true, writable: true })
  }
  return result
}
