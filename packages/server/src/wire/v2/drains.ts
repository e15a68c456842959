import { drainPool, rebalancePools } from '../../core/operations/relocations/begin-relocation.ts'
import { cancelDrain, cancelRebalance } from '../../core/operations/relocations/cancel-relocation.ts'
import { getDrain, getRebalance } from '../../core/operations/relocations/get-relocation.ts'
import { printJson } from '../../model/json.ts'
import type { Relocation } from '../../model/model.ts'
import { readFields, readOptionalObject } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { namedInPath } from '../pool-bodies.ts'
import { Type } from '../typed-schema.ts'
import { drainDocs } from './drain-docs.ts'
import { timeOf } from './subscriptions.ts'

const Terms = Type.Object({
  /** Records in a second. */
  rate: Type.Optional(Type.Integer()),
})

const DRAIN = '/pools/:pool/drain'
const REBALANCE = '/rebalance'

/** Queues that go from pool to pool, additions of ours. */
export const drainDoors: readonly AnyDoor[] = [
  door({
    method: 'PUT',
    path: DRAIN,
    operation: drainPool,
    body: Terms,
    describe: drainDocs.drain,
    decode: (request) => ({ ...named(request), ...readTerms(request) }),
    encode: accepted,
  }),
  door({
    method: 'GET',
    path: DRAIN,
    operation: getDrain,
    describe: drainDocs.getDrain,
    decode: named,
    encode: (drain) => ok(document(drain)),
  }),
  door({
    method: 'DELETE',
    path: DRAIN,
    operation: cancelDrain,
    describe: drainDocs.cancelDrain,
    decode: named,
    encode: () => NO_CONTENT,
  }),
  door({
    method: 'PUT',
    path: REBALANCE,
    operation: rebalancePools,
    body: Terms,
    describe: drainDocs.rebalance,
    decode: readTerms,
    encode: accepted,
  }),
  door({
    method: 'GET',
    path: REBALANCE,
    operation: getRebalance,
    describe: drainDocs.getRebalance,
    decode: () => undefined,
    encode: (rebalance) => ok(document(rebalance)),
  }),
  door({
    method: 'DELETE',
    path: REBALANCE,
    operation: cancelRebalance,
    describe: drainDocs.cancelRebalance,
    decode: () => undefined,
    encode: () => NO_CONTENT,
  }),
]

function named(request: DoorRequest): { name: string } {
  return { name: namedInPath('pool', request) }
}

function readTerms({ body }: DoorRequest): { rate?: number | undefined } {
  return readFields(readOptionalObject(body), Terms)
}

function accepted(asked: Relocation) {
  return { status: 202, body: document(asked) }
}

function document({
  pool,
  status,
  rate,
  askedAt,
  endedAt,
  queuesLeft,
  queuesMoved,
  recordsMoved,
  trouble,
}: Relocation) {
  const active = pool === null ? 'rebalancing' : 'draining'
  return printJson({
    ...(pool !== null && { pool }),
    ...{ status: status === 'active' ? active : status, rate },
    ...{ asked: timeOf(askedAt), ended: endedAt === null ? null : timeOf(endedAt) },
    ...{ queues_left: queuesLeft, queues_moved: queuesMoved, records_moved: recordsMoved, trouble },
  })
}
