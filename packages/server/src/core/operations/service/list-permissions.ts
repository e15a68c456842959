import { defineOperation } from '../../execute.ts'

interface ListPermissionsInput {
  /** Those that are asked about. */
  readonly all: readonly string[]
}

/** Which permissions the policy grants to the caller. What a signed URL is good for bounds them further. */
export const listPermissions = defineOperation({
  name: 'service.permissions',
  permission: 'permissions:get',
  failure: 'Permissions could not be listed',
  run: async ({ all }: ListPermissionsInput, { may }): Promise<readonly string[]> => all.filter(may),
})
