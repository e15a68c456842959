import { MAX_RECORDS_PER_SECOND } from '../../core/operations/relocations/begin-relocation.ts'
import { between, ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'
import { ADMIN } from './common-docs.ts'

const rate = {
  description: 'Records in a second, at most. A message is one; without it, as fast as it goes.',
  ...between(1, MAX_RECORDS_PER_SECOND),
  examples: [500],
}
const asked = {
  rate: 500,
  ...{ asked: '2026-03-01T10:00:00Z', ended: null },
  ...{ queues_left: null, queues_moved: 0, records_moved: 0, trouble: null },
}
const drain = { pool: 'east', status: 'draining', ...asked }
const rebalance = { status: 'rebalancing', ...asked }

const drainPool: DescribeDoor = ({ prefix }) => ({
  summary: 'Drain a pool',
  description:
    'Addition of this service. Its queues go to other pools while they are in use; its weight becomes 0. ' +
    'One that is under way goes on, at that rate.',
  body: { required: false, schema: { properties: { rate } } },
  answers: { 202: { description: 'Asked for.', schema: ref('Drain') } },
  errors: ['relocation.rate_out_of_range', 'relocation.no_pooling', 'pool.not_found'],
  examples: [
    {
      name: 'drain',
      request: { path: `${prefix}/pools/east/drain`, headers: ADMIN, body: { rate: 500 } },
      answer: { status: 202, body: drain },
    },
  ],
})

const getDrain: DescribeDoor = ({ prefix }) => ({
  summary: 'Show how the drain of a pool gets on',
  description: 'Addition of this service. When it has ended, it is shown until another is asked for.',
  answers: { 200: { description: 'The drain.', schema: ref('Drain') } },
  errors: ['drain.not_found'],
  examples: [
    {
      name: 'show-drain',
      request: { path: `${prefix}/pools/east/drain`, headers: ADMIN },
      answer: { status: 200, body: drain },
    },
  ],
})

const cancelDrain: DescribeDoor = ({ prefix }) => ({
  summary: 'Cancel the drain of a pool',
  description:
    'Addition of this service. Queues that have not gone stay, and the pool has its weight again. ' +
    'Where there is none under way that is no error.',
  answers: { 204: { description: 'It is under way no more.' } },
  errors: [],
  examples: [
    {
      name: 'cancel-drain',
      request: { path: `${prefix}/pools/east/drain`, headers: ADMIN },
      answer: { status: 204 },
    },
  ],
})

const rebalancePools: DescribeDoor = ({ prefix }) => ({
  summary: 'Share all queues by the weights of the pools',
  description:
    'Addition of this service. As few queues as possible go to other pools of the same flavor, while they are in use. ' +
    'Pools of weight 0 take no part. One that is under way goes on, at that rate.',
  body: { required: false, schema: { properties: { rate } } },
  answers: { 202: { description: 'Asked for.', schema: ref('Rebalance') } },
  errors: ['relocation.rate_out_of_range', 'relocation.no_pooling'],
  examples: [
    {
      name: 'rebalance',
      request: { path: `${prefix}/rebalance`, headers: ADMIN, body: { rate: 500 } },
      answer: { status: 202, body: rebalance },
    },
  ],
})

const getRebalance: DescribeDoor = ({ prefix }) => ({
  summary: 'Show how the rebalance gets on',
  description: 'Addition of this service. When it has ended, it is shown until another is asked for.',
  answers: { 200: { description: 'The rebalance.', schema: ref('Rebalance') } },
  errors: ['rebalance.not_found'],
  examples: [
    {
      name: 'show-rebalance',
      request: { path: `${prefix}/rebalance`, headers: ADMIN },
      answer: { status: 200, body: rebalance },
    },
  ],
})

const cancelRebalance: DescribeDoor = ({ prefix }) => ({
  summary: 'Cancel the rebalance',
  description:
    'Addition of this service. Queues that have not gone stay. Where there is none under way that is no error.',
  answers: { 204: { description: 'It is under way no more.' } },
  errors: [],
  examples: [
    {
      name: 'cancel-rebalance',
      request: { path: `${prefix}/rebalance`, headers: ADMIN },
      answer: { status: 204 },
    },
  ],
})

export const drainDocs = {
  ...{ drain: drainPool, getDrain, cancelDrain },
  ...{ rebalance: rebalancePools, getRebalance, cancelRebalance },
}
