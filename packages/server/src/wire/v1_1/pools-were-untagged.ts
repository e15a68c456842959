import { listPools } from '../../core/operations/pools/list-pools.ts'
import { putPool } from '../../core/operations/pools/put-pool.ts'
import { updatePool } from '../../core/operations/pools/update-pool.ts'
import { all, altered, told } from '../older.ts'
import { invalidBody } from '../refusal.ts'

/**
 * A pool was given no flavor by itself: on a PUT it was dropped, on a PATCH it did not count. A PATCH answered nothing, and a
 * list could be of any length. (contract http.md 3.11)
 */
export const poolsWereUntagged = all(
  told(putPool, { flavor: null }),
  altered(updatePool, ({ decode }) => ({
    decode(request) {
      const { flavor: _dropped, ...changes } = decode(request)
      if (changes.uri === undefined && changes.weight === undefined && changes.options === undefined) {
        throw invalidBody('One of these fields needs to be specified: uri, weight, options')
      }
      return changes
    },
    encode: () => ({ status: 200 }),
  })),
  told(listPools, { anyLength: true }),
)
