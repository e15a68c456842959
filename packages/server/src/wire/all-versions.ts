import { createV1 } from './v1/version.ts'
import { createV1_1 } from './v1_1/version.ts'
import { createV2, type DoorLimits } from './v2/version.ts'
import type { ApiVersion } from './versions.ts'

/**
 * The versions of the API, the oldest first. `deprecated`: ids of those among the deprecated ones that are wanted; null for
 * all. `needsProject`: no version does without the project of the caller.
 */
export function createVersions(
  limits: DoorLimits,
  deprecated: readonly string[] | null,
  needsProject = false,
): readonly ApiVersion[] {
  const v2 = createV2(limits)
  const v1_1 = createV1_1(v2)
  const v1 = createV1(v1_1, limits, { needsProject })
  return [v1, v1_1, v2].filter(
    ({ entry: { id, status } }) => status === 'CURRENT' || (deprecated?.includes(id) ?? true),
  )
}
