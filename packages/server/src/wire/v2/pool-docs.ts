import { ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'
import { ADMIN, detailed, pageParams } from './common-docs.ts'

const URI = 'sqlite:///var/lib/zaqar/east.db'

function pool(prefix: string) {
  return { name: 'east', flavor: null, uri: URI, weight: 100, href: `${prefix}/pools/east` }
}

const poolBody = {
  properties: {
    uri: { description: 'The store, tried before it is accepted.', examples: [URI] },
    weight: { description: 'Share of the new queues that it gets, beside the other pools.' },
    options: { description: 'Kept and shown.' },
    flavor: { description: 'The flavor that it belongs to; empty for none.' },
  },
}

const listPools: DescribeDoor = ({ limits, prefix }) => ({
  summary: 'List pools',
  query: { ...pageParams(limits.maxPoolsPerPage), detailed },
  answers: {
    200: { description: 'A page; empty at the end.', schema: ref('PoolPage'), headers: ['Content-Location'] },
  },
  errors: ['limit.out_of_range'],
  examples: [
    {
      name: 'list',
      request: { path: `${prefix}/pools?limit=5`, headers: ADMIN },
      answer: {
        status: 200,
        headers: { 'Content-Location': `${prefix}/pools?limit=5` },
        body: {
          links: [{ rel: 'next', href: `${prefix}/pools?limit=5&marker=east` }],
          pools: [pool(prefix)],
        },
      },
    },
  ],
})

const putPool: DescribeDoor = ({ prefix }) => ({
  summary: 'Create or replace a pool',
  body: { required: true, schema: poolBody },
  answers: { 201: { description: 'Stored.', headers: ['Location'] } },
  errors: ['pool.unreachable', 'pool.uri_in_use', 'pool.draining'],
  examples: [
    {
      name: 'put',
      request: { path: `${prefix}/pools/east`, headers: ADMIN, body: { uri: URI, weight: 50 } },
      answer: { status: 201, headers: { Location: `${prefix}/pools/east` } },
    },
  ],
})

const getPool: DescribeDoor = ({ prefix }) => ({
  summary: 'Show a pool',
  query: { detailed },
  answers: { 200: { description: 'The pool.', schema: ref('Pool') } },
  errors: ['pool.not_found'],
  examples: [
    {
      name: 'get',
      request: { path: `${prefix}/pools/east`, headers: ADMIN },
      answer: { status: 200, body: pool(prefix) },
    },
  ],
})

const updatePool: DescribeDoor = ({ prefix }) => ({
  summary: 'Change a pool',
  description: 'What is not given stays; at least one field must be.',
  body: { required: true, schema: { ...poolBody, minProperties: 1 } },
  answers: { 200: { description: 'The pool after the change.', schema: ref('Pool') } },
  errors: ['pool.unreachable', 'pool.uri_in_use', 'pool.draining', 'pool.not_found'],
  examples: [
    {
      name: 'update',
      request: { path: `${prefix}/pools/east`, headers: ADMIN, body: { weight: 100 } },
      answer: { status: 200, body: pool(prefix) },
    },
  ],
})

const deletePool: DescribeDoor = ({ prefix }) => ({
  summary: 'Delete a pool',
  description: 'It must hold no queues. A pool that does not exist is no error.',
  answers: { 204: { description: 'Deleted.' } },
  errors: ['pool.last_of_flavors', 'pool.in_use'],
  examples: [{ name: 'delete', request: { path: `${prefix}/pools/east`, headers: ADMIN }, answer: { status: 204 } }],
})

export const poolDocs = { list: listPools, put: putPool, get: getPool, update: updatePool, delete: deletePool }
