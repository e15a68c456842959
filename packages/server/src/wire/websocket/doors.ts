import type { ApiVersion } from '../versions.ts'
import { claimDoors } from './doors/claims.ts'
import { furtherDoors } from './doors/further.ts'
import { messageDoors } from './doors/messages.ts'
import { queueDoors } from './doors/queues.ts'
import { subscriptionDoors } from './doors/subscriptions.ts'
import type { AnySocketDoor } from './socket-door.ts'

/** The actions, by name; those for operators only where `version`, which is v2, has its doors for them. */
export function socketDoors(version: ApiVersion): ReadonlyMap<string, AnySocketDoor> {
  const doors = [...queueDoors, ...messageDoors, ...claimDoors, ...subscriptionDoors, ...furtherDoors(version)]
  return new Map(doors.map((door) => [door.action, door]))
}
