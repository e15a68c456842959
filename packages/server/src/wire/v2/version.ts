import { answer, ping } from '../../core/operations/service/ping.ts'
import { door, NO_CONTENT } from '../door.ts'
import { v2Resources } from '../home-documents/v2.ts'
import type { ApiVersion } from '../versions.ts'
import { v2Schemas } from './answer-schemas.ts'
import { claimDoors } from './claims.ts'
import { deliveryDoors } from './deliveries.ts'
import { drainDoors } from './drains.ts'
import { flavorDoors } from './flavors.ts'
import { healthDoor } from './health.ts'
import { messageDoors } from './messages.ts'
import { permissionsDoor } from './permissions.ts'
import { poolDoors } from './pools.ts'
import { queueDoors } from './queues.ts'
import { redriveDoor } from './redrive.ts'
import { pingDoc, pingHeadDoc } from './service-docs.ts'
import { shareDoor } from './share.ts'
import { subscriptionDoors } from './subscriptions.ts'
import { topicDoors } from './topics.ts'

export const v2: ApiVersion = {
  prefix: '/v2',
  entry: { id: '2', status: 'CURRENT', updated: '2014-9-24T04:06:47Z' },
  messageForm: 'full',
  callers: { needsProject: true, needsClientId: true, insistsOnUuids: false },
  home: v2Resources,
  schemas: v2Schemas,
  doors: [
    ...queueDoors,
    ...messageDoors,
    ...claimDoors,
    ...subscriptionDoors,
    ...deliveryDoors,
    ...topicDoors,
    ...[...poolDoors, ...drainDoors, ...flavorDoors, healthDoor].map((one) => ({ ...one, admin: true as const })),
    redriveDoor,
    shareDoor,
    permissionsDoor,
    door({
      method: 'GET',
      path: '/ping',
      operation: ping,
      describe: pingDoc,
      decode: () => undefined,
      encode: (alive) => (alive ? NO_CONTENT : { status: 503, body: '' }),
    }),
    door({
      method: 'HEAD',
      path: '/ping',
      operation: answer,
      describe: pingHeadDoc,
      decode: () => undefined,
      encode: () => NO_CONTENT,
    }),
  ],
}
