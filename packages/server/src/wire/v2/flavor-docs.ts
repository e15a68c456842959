import { capabilitiesOf } from '../../core/rules/capabilities.ts'
import { ref } from '../openapi/json-schema.ts'
import type { DescribeDoor } from '../openapi/types.ts'
import { ADMIN, detailed, pageParams } from './common-docs.ts'

function flavor(prefix: string) {
  return {
    name: 'gold',
    capabilities: [...capabilitiesOf([null])],
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
