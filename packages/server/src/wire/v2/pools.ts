import { deletePool } from '../../core/operations/pools/delete-pool.ts'
import { getPool } from '../../core/operations/pools/get-pool.ts'
import { listPools } from '../../core/operations/pools/list-pools.ts'
import { putPool } from '../../core/operations/pools/put-pool.ts'
import { updatePool } from '../../core/operations/pools/update-pool.ts'
import { printJson } from '../../model/json.ts'
import type { JsonObject, Pool } from '../../model/model.ts'
import { readFields } from '../body.ts'
import { type AnyDoor, type DoorRequest, door, NO_CONTENT, ok } from '../door.ts'
import { nextLink } from '../links.ts'
import { LONGEST_POOL_NAME, namedInPath, PLAIN_TEXT, readPoolObject } from '../pool-bodies.ts'
import { BooleanParam, IntegerParam, readQuery, StringParam } from '../query.ts'
import { Type } from '../typed-schema.ts'
import { invalidBody } from '../wire-error.ts'
import { poolDocs } from './pool-docs.ts'

const poolFields = {
  uri: Type.String({ maxLength: 255, pattern: PLAIN_TEXT }),
  weight: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
  options: Type.Optional(Type.Object({})),
  /** Empty: none. */
  flavor: Type.Optional(Type.String({ maxLength: LONGEST_POOL_NAME, pattern: PLAIN_TEXT })),
}
const NewPool = Type.Object(poolFields, { additionalProperties: false })
/** Other fields are dropped, but one of these must be there. */
export const PoolChanges = Type.Partial(Type.Object(poolFields))

const POOL_LIST_QUERY = { marker: StringParam, limit: IntegerParam, detailed: BooleanParam } as const
const POOL_QUERY = { detailed: BooleanParam } as const

export const poolDoors: readonly AnyDoor[] = [
  door({
    method: 'GET',
    path: '/pools',
    operation: listPools,
    query: POOL_LIST_QUERY,
    describe: poolDocs.list,
    decode: ({ query }) => readQuery(query, POOL_LIST_QUERY),
    encode(pools, { prefix, path, query, rawQuery }) {
      const { marker, limit, detailed } = readQuery(query, POOL_LIST_QUERY)
      const documents = pools.map((pool) => poolDocument(pool, prefix, detailed))
      const next = pools.at(-1)?.name ?? null
      const params = [['limit', limit] as const, ['detailed', detailed] as const]
      const links = nextLink(path, params, { given: marker !== undefined, next })
      return {
        status: 200,
        headers: { 'Content-Location': rawQuery === '' ? path : `${path}?${rawQuery}` },
        body: `{"links": ${links}, "pools": [${documents.join(', ')}]}`,
      }
    },
  }),
  door({
    method: 'PUT',
    path: '/pools/:pool',
    operation: putPool,
    body: NewPool,
    describe: poolDocs.put,
    decode(request) {
      const { name } = named(request)
      const { uri, weight, options = {}, flavor } = readFields(readPoolObject(request.body), NewPool)
      return { name, uri, weight, options: printJson(options as JsonObject), flavor: flavor || null }
    },
    encode: (_output, { prefix, params }) => ({
      status: 201,
      headers: { Location: poolPath(prefix, params['pool'] as string) },
    }),
  }),
  door({
    method: 'GET',
    path: '/pools/:pool',
    operation: getPool,
    query: POOL_QUERY,
    describe: poolDocs.get,
    decode(request) {
      readQuery(request.query, POOL_QUERY)
      return named(request)
    },
    encode: (pool, { prefix, query }) => ok(poolDocument(pool, prefix, readQuery(query, POOL_QUERY).detailed)),
  }),
  door({
    method: 'PATCH',
    path: '/pools/:pool',
    operation: updatePool,
    body: PoolChanges,
    describe: poolDocs.update,
    decode: (request) => ({ ...named(request), ...readChanges(request) }),
    encode: (pool, { prefix }) => ok(poolDocument(pool, prefix)),
  }),
  door({
    method: 'DELETE',
    path: '/pools/:pool',
    operation: deletePool,
    describe: poolDocs.delete,
    decode: named,
    encode: () => NO_CONTENT,
  }),
]

function named(request: DoorRequest): { name: string } {
  return { name: namedInPath('pool', request) }
}

function poolPath(prefix: string, name: string): string {
  return `${prefix}/pools/${encodeURIComponent(name)}`
}

function poolDocument({ name, flavor, uri, weight, options }: Pool, prefix: string, detailed = false): string {
  const common = printJson({ name, flavor, uri, weight }).slice(0, -1)
  const shownOptions = detailed ? `, "options": ${options}` : ''
  return `${common}${shownOptions}, "href": ${printJson(poolPath(prefix, name))}}`
}

function readChanges({ body }: DoorRequest) {
  const document = readPoolObject(body)
  const names = Object.keys(poolFields)
  if (!names.some((name) => Object.hasOwn(document, name))) {
    throw invalidBody(`One of these fields needs to be specified: ${names.join(', ')}`)
  }
  const { uri, weight, options, flavor } = readFields(document, PoolChanges)
  return { uri, weight, options: options && printJson(options as JsonObject), flavor: flavor === '' ? null : flavor }
}
