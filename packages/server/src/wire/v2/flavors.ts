import { deleteFlavor } from '../../core/operations/flavors/delete-flavor.ts'
import { getFlavor } from '../../core/operations/flavors/get-flavor.ts'
import { type ListedFlavor, listFlavors } from '../../core/operations/flavors/list-flavors.ts'
import { putFlavor } from '../../core/operations/flavors/put-flavor.ts'
import type { ShownFlavor } from '../../core/operations/flavors/show-flavor.ts'
import { updateFlavor } from '../../core/operations/flavors/update-flavor.ts'
import { printJson } from '../../model/json.ts'
import type { JsonObject } from '../../model/model.ts'
import { readFields } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { nextLink } from '../links.ts'
import { namedInPath, readPoolName, readPoolObject } from '../pool-bodies.ts'
import { BooleanParam, IntegerParam, readQuery, StringParam } from '../query.ts'
import { Type } from '../typed-schema.ts'
import { WireError } from '../wire-error.ts'
import { flavorDocs } from './flavor-docs.ts'

const PoolList = Type.Array(Type.String())

const NewFlavor = Type.Object(
  {
    pool_list: PoolList,
    /** Of no effect: they follow from the pools. */
    capabilities: Type.Optional(Type.Object({})),
  },
  { additionalProperties: false },
)
/** Other fields are dropped. */
const FlavorChanges = Type.Object({ pool_list: PoolList })

const FLAVOR_LIST_QUERY = { marker: StringParam, limit: IntegerParam, detailed: BooleanParam } as const

export const flavorDoors: readonly AnyDoor[] = [
  door({
    method: 'GET',
    path: '/flavors',
    operation: listFlavors,
    query: FLAVOR_LIST_QUERY,
    describe: flavorDocs.list,
    decode: ({ query }) => readQuery(query, FLAVOR_LIST_QUERY),
    encode(flavors, { prefix, path, query }) {
      const { marker, limit, detailed } = readQuery(query, FLAVOR_LIST_QUERY)
      const documents = flavors.map((flavor) => printJson(listedFlavor(flavor, prefix)))
      const next = { given: marker !== undefined, next: flavors.at(-1)?.name ?? null }
      const links = nextLink(path, [['limit', limit]], next, [['detailed', detailed]])
      return ok(`{"links": ${links}, "flavors": [${documents.join(', ')}]}`)
    },
  }),
  door({
    method: 'PUT',
    path: '/flavors/:flavor',
    operation: putFlavor,
    body: NewFlavor,
    describe: flavorDocs.put,
    decode: (request) => ({ ...named(request), pools: readPools(request, NewFlavor) }),
    encode: (_output, { prefix, params }) => ({
      status: 201,
      headers: { Location: flavorPath(prefix, params['flavor'] as string) },
    }),
  }),
  door({
    method: 'GET',
    path: '/flavors/:flavor',
    operation: getFlavor,
    describe: flavorDocs.get,
    decode: named,
    encode: (flavor, { prefix }) => ok(printJson(flavorDocument(flavor, prefix))),
  }),
  door({
    method: 'PATCH',
    path: '/flavors/:flavor',
    operation: updateFlavor,
    body: FlavorChanges,
    describe: flavorDocs.update,
    decode: (request) => ({ ...named(request), pools: readPools(request, FlavorChanges) }),
    encode: (flavor, { prefix }) => ok(printJson(flavorDocument(flavor, prefix))),
  }),
  door({
    method: 'DELETE',
    path: '/flavors/:flavor',
    operation: deleteFlavor,
    describe: flavorDocs.delete,
    decode: named,
    encode: () => NO_CONTENT,
  }),
]

function named(request: DoorRequest): { name: string } {
  return { name: namedInPath('flavor', request) }
}

function flavorPath(prefix: string, name: string): string {
  return `${prefix}/flavors/${encodeURIComponent(name)}`
}

function flavorDocument({ name, capabilities, pools }: ShownFlavor, prefix: string): JsonObject {
  return { name, capabilities: [...capabilities], pool_list: [...pools], href: flavorPath(prefix, name) }
}

function listedFlavor({ name, capabilities, pools }: ListedFlavor, prefix: string): JsonObject {
  return {
    name,
    href: flavorPath(prefix, name),
    ...(pools.length > 0 && { pool_list: [...pools] }),
    ...(capabilities && { capabilities: [...capabilities] }),
  }
}

function readPools({ prefix, params, body }: DoorRequest, schema: typeof NewFlavor | typeof FlavorChanges): string[] {
  const { pool_list: pools } = readFields(readPoolObject(body), schema)
  if (pools.length > 0) return pools.map(readPoolName)
  throw new WireError(400, 'Unable to create', 'Bad Request', {
    Location: flavorPath(prefix, params['flavor'] as string),
  })
}
