import type { ApiVersion } from '../versions.ts'
import { furtherDoors } from './doors/further.ts'
import type { AnySocketDoor } from './socket-door.ts'

/** The actions of a version, by name; those for operators only where `version` has such doors. */
export function socketDoors(version: ApiVersion): ReadonlyMap<string, AnySocketDoor> {
  return new Map(furtherDoors(version).map((door) => [door.action, door]))
}
