import { describe } from 'node:test'
import { type FreshService, freshService } from '../support/fresh-service.ts'
import { CLIENT_ID, OTHER_CLIENT_ID, PROJECT } from '../support/test-client.ts'
import type { Actions } from './actions.ts'
import type { Door, Who } from './door.ts'
import { V1, V1_1, V2 } from './http-doors.ts'
import { SOCKET } from './socket-door.ts'

export interface Scene {
  /** A client of the door. */
  readonly me: Actions
  /** Another one of the same project. */
  readonly other: Actions
  /** One of another project, with the Client-ID of the first. */
  readonly stranger: Actions
  /** Whatever no action of every door brings about. */
  readonly service: FreshService
}

const DOORS: readonly Door[] = [V1, V1_1, V2, SOCKET]

/** Defines the same tests for each door, with a new service for each test. `env` configures the service. */
export function throughEachDoor(
  what: string,
  define: (scene: Scene, door: Door) => void,
  { env = {}, doors = DOORS }: { env?: Record<string, string>; doors?: readonly Door[] } = {},
): void {
  for (const door of doors) {
    describe(`${what}, through ${door.name},`, () => {
      const service = freshService(env)
      const as = (other: Partial<Who>) => door.actions(service, { clientId: CLIENT_ID, project: PROJECT, ...other })
      define(
        {
          service,
          get me() {
            return as({})
          },
          get other() {
            return as({ clientId: OTHER_CLIENT_ID })
          },
          get stranger() {
            return as({ project: 'p2' })
          },
        },
        door,
      )
    })
  }
}
