import { printJson } from '../../model/json.ts'
import { membersOf, objectText } from '../../model/members.ts'
import type { Json, JsonObject } from '../../model/model.ts'
import { ZaqarError } from '../errors.ts'

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
  metadata: string,
  changes: readonly MetadataChange[],
  reserved: Readonly<JsonObject>,
): string {
  const members = membersOf(metadata)
  for (const change of changes) {
    const { op, key } = change
    if (op !== 'add' && !members.has(key) && !Object.hasOwn(reserved, key)) {
      throw new ZaqarError('patch.target_missing', { op, key, path: `/metadata/${key}` })
    }
    if (change.op === 'remove') members.delete(key)
    else members.set(key, printJson(change.value))
  }
  return objectText(members)
}
