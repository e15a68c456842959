import { capabilitiesOf } from '../../../core/rules/capabilities.ts'
import type { DescribeDoor } from '../door-doc.ts'
import { ref } from '../json-schema.ts'
import { pageParams } from './queues.ts'

/** Where no Keystone says what roles a caller has. */
const ADMIN = { 'X-Roles': 'admin' }
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
const detailed = { description: 'With more of each.', default: false }

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
  errors: ['pool.unreachable', 'pool.uri_in_use'],
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
  errors: ['pool.unreachable', 'pool.uri_in_use', 'pool.not_found'],
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
  description: 'Its queues are not moved. A pool that does not exist is no error.',
  answers: { 204: { description: 'Deleted.' } },
  errors: ['pool.last_of_flavors'],
  examples: [{ name: 'delete', request: { path: `${prefix}/pools/east`, headers: ADMIN }, answer: { status: 204 } }],
})

export const poolDocs = { list: listPools, put: putPool, get: getPool, update: updatePool, delete: deletePool }

function flavor(prefix: string) {
  return {
    name: 'gold',
    capabilities: [...capabilitiesOf({ pools: ['east'] })],
    pool_list: ['east'],
    href: `${prefix}/flavors/gold`,
  }
}

const flavorBody = {
  properties: {
    pool_list: { description: 'Names of its pools, at least one.', minItems: 1, examples: [['east']] },
    capabilities: { description: 'Of no effect: they follow from the pools.' },
  },
}

const listFlavors: DescribeDoor = ({ limits, prefix }) => ({
  summary: 'List flavors',
  query: { ...pageParams(limits.maxFlavorsPerPage), detailed },
  answers: { 200: { description: 'A page; empty at the end.', schema: ref('FlavorPage') } },
  errors: ['limit.out_of_range'],
  examples: [
    {
      name: 'list',
      request: { path: `${prefix}/flavors?limit=5` },
      answer: {
        status: 200,
        body: {
          links: [{ rel: 'next', href: `${prefix}/flavors?limit=5&marker=gold` }],
          flavors: [{ name: 'gold', href: `${prefix}/flavors/gold`, pool_list: ['east'] }],
        },
      },
    },
  ],
})

const putFlavor: DescribeDoor = ({ prefix }) => ({
  summary: 'Create or replace a flavor',
  body: { required: true, schema: flavorBody },
  answers: { 201: { description: 'Stored.', headers: ['Location'] } },
  errors: ['flavor.created_with_unknown_pool'],
  examples: [
    {
      name: 'put',
      request: { path: `${prefix}/flavors/gold`, headers: ADMIN, body: { pool_list: ['east'] } },
      answer: { status: 201, headers: { Location: `${prefix}/flavors/gold` } },
    },
  ],
})

const getFlavor: DescribeDoor = ({ prefix }) => ({
  summary: 'Show a flavor',
  answers: { 200: { description: 'The flavor.', schema: ref('Flavor') } },
  errors: ['flavor.not_found'],
  examples: [
    { name: 'get', request: { path: `${prefix}/flavors/gold` }, answer: { status: 200, body: flavor(prefix) } },
  ],
})

const updateFlavor: DescribeDoor = ({ prefix }) => ({
  summary: 'Change the pools of a flavor',
  body: { required: true, schema: { properties: { pool_list: flavorBody.properties.pool_list } } },
  answers: { 200: { description: 'The flavor after the change.', schema: ref('Flavor') } },
  errors: ['flavor.updated_with_unknown_pool', 'flavor.not_found'],
  examples: [
    {
      name: 'update',
      request: { path: `${prefix}/flavors/gold`, headers: ADMIN, body: { pool_list: ['east'] } },
      answer: { status: 200, body: flavor(prefix) },
    },
  ],
})

const deleteFlavor: DescribeDoor = ({ prefix }) => ({
  summary: 'Delete a flavor',
  description: 'Its pools stay. A flavor that does not exist is no error.',
  answers: { 204: { description: 'Deleted.' } },
  examples: [{ name: 'delete', request: { path: `${prefix}/flavors/gold`, headers: ADMIN }, answer: { status: 204 } }],
})

export const flavorDocs = {
  list: listFlavors,
  put: putFlavor,
  get: getFlavor,
  update: updateFlavor,
  delete: deleteFlavor,
}
