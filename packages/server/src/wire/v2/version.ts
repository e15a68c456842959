import { answer, ping } from '../../core/operations/service/ping.ts'
import { door, NO_CONTENT } from '../door.ts'
import type { ApiVersion } from '../versions.ts'
import { claimDoors } from './claims.ts'
import { homeDocument, v2Resources } from './home-document.ts'
import { type MessageDoorLimits, messageDoors } from './messages.ts'
import { type QueueDoorLimits, queueDoors } from './queues.ts'
import { redriveDoor } from './redrive.ts'

export type DoorLimits = QueueDoorLimits & MessageDoorLimits

const PREFIX = '/v2'

export function createV2(limits: DoorLimits): ApiVersion {
  return {
    prefix: PREFIX,
    entry: { id: '2', status: 'CURRENT', updated: '2014-9-24T04:06:47Z' },
    homeDocument: homeDocument(PREFIX, v2Resources),
    doors: [
      ...queueDoors(limits),
      ...messageDoors(limits),
      ...claimDoors(limits),
      redriveDoor(),
      door({
        method: 'GET',
        path: '/ping',
        operation: ping,
        decode: () => undefined,
        encode: (alive) => (alive ? NO_CONTENT : { status: 503, body: '' }),
      }),
      door({ method: 'HEAD', path: '/ping', operation: answer, decode: () => undefined, encode: () => NO_CONTENT }),
    ],
  }
}
