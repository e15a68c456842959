import { listPools } from '../../core/operations/pools/list-pools.ts'
import { putPool } from '../../core/operations/pools/put-pool.ts'
import { updatePool } from '../../core/operations/pools/update-pool.ts'
import { DEFAULT_PAGE } from '../../core/rules/limits.ts'
import { all, altered, described, told } from '../older.ts'
import { withoutProperties } from '../openapi/json-schema.ts'
import { overlay } from '../openapi/overlay.ts'
import { withBody } from '../openapi/restate.ts'
import { Type } from '../typed-schema.ts'
import { PoolChanges } from '../v2/pools.ts'
import { invalidBody } from '../wire-error.ts'

/**
 * A pool was given no flavor by itself: on a PUT it was dropped, on a PATCH it did not count. A PATCH answered nothing,
 * and a list could be of any length. (contract http.md 3.11)
 */
export const poolsWereUntagged = all(
  told(putPool, { flavor: null }),
  described(putPool, (newer) =>
    withBody(newer, (schema) => overlay(schema, { properties: { flavor: { description: 'Of no effect.' } } })),
  ),
  altered(updatePool, ({ decode }) => ({
    body: Type.Omit(PoolChanges, ['flavor']),
    decode(request) {
      const { flavor: _dropped, ...changes } = decode(request)
      if (changes.uri === undefined && changes.weight === undefined && changes.options === undefined) {
        throw invalidBody('One of these fields needs to be specified: uri, weight, options')
      }
      return changes
    },
    encode: () => ({ status: 200 }),
  })),
  described(updatePool, (newer) => ({
    ...withBody(newer, (schema) => withoutProperties(schema, ['flavor'])),
    answers: { 200: { description: 'Changed. Without a body.' } },
    examples: newer.examples.map((example) => ({ ...example, answer: { status: 200 } })),
  })),
  told(listPools, { anyLength: true }),
  described(listPools, (newer) => ({
    ...newer,
    query: {
      ...newer.query,
      limit: { description: 'Size of the page; 0 for all.', minimum: 0, default: DEFAULT_PAGE },
    },
  })),
)
