import { listPermissions } from '../../core/operations/service/list-permissions.ts'
import { type AnyDoor, door, ok } from '../door.ts'
import { permissionsDoc } from './service-docs.ts'

/** `GET /permissions`, an addition of ours: what the policy lets the caller do, of what is served here. */
export const permissionsDoor: AnyDoor = door({
  method: 'GET',
  path: '/permissions',
  operation: listPermissions,
  describe: permissionsDoc,
  decode: ({ doors }) => ({ all: [...new Set(doors.map(({ operation }) => operation.permission))].sort() }),
  encode: (permissions) => ok(JSON.stringify({ permissions })),
})
