import { v1 } from './v1/version.ts'
import { v1_1 } from './v1_1/version.ts'
import { v2 } from './v2/version.ts'
import type { ApiVersion } from './versions.ts'

/** The oldest first. */
export const allVersions: readonly ApiVersion[] = [v1, v1_1, v2]

/** The versions that are not deprecated, and of the deprecated ones those whose ids are `wanted`; null for all. */
export function chosenVersions(wanted: readonly string[] | null): readonly ApiVersion[] {
  return allVersions.filter(({ entry: { id, status } }) => status === 'CURRENT' || (wanted?.includes(id) ?? true))
}
