import { getHealth, type Health, type Trial } from '../../core/operations/service/get-health.ts'
import { printJson } from '../../model/json.ts'
import type { JsonObject } from '../../model/model.ts'
import { type AnyDoor, door, ok } from '../door.ts'
import { healthDoc } from './service-docs.ts'
import { timeOf } from './subscriptions.ts'

/** What trials are called on the wire, in order. (contract http.md 2.5) */
const NAMES = {
  createQueue: 'create_queue',
  postMessages: 'post_messages',
  claimMessages: 'claim_messages',
  listMessages: 'list_messages',
  deleteMessages: 'delete_messages',
  deleteClaim: 'delete_claim',
  deleteManyMessages: 'bulk_delete_messages',
  deleteQueue: 'delete_queue',
} as const satisfies Record<Trial['step'], string>

function storageStatus({ isReachable, trials }: Pick<Health, 'isReachable' | 'trials'>): JsonObject {
  const status: JsonObject = {}
  for (const { step, seconds, ref } of trials) status[NAMES[step]] = { succeeded: ref === null, seconds, ref }
  return { storage_reachable: isReachable, operation_status: status }
}

export const healthDoor: AnyDoor = door({
  method: 'GET',
  path: '/health',
  operation: getHealth,
  describe: healthDoc,
  decode: () => undefined,
  encode({ isReachable, trials, pools, weakness, sockets, process }) {
    const document: JsonObject = pools === null ? storageStatus({ isReachable, trials }) : {}
    for (const pool of pools ?? []) document[pool.name] = storageStatus(pool)
    if (pools !== null) document['catalog_reachable'] = isReachable
    // Additions of ours.
    document['sockets'] = { ...sockets }
    const { version, engine, host, pid, startedAt } = process
    document['process'] = { version, engine, host, pid, started: timeOf(startedAt) }
    // Another, for operators of an engine that was configured weaker than it could be.
    if (weakness !== null) document['storage_weakness'] = weakness
    return ok(printJson(document))
  },
})
