import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { BadRequest } from '../../packages/client/src/errors.ts'
import { compileFilter } from '../../packages/client/src/filter.ts'
import { compileFilter as compileOfService } from '../../packages/server/src/core/rules/filter.ts'
import type { Json } from '../../packages/server/src/model/model.ts'

const scalar = fc.oneof(fc.constantFrom('a', 'ab', '', 'b', null, true, false, 0, -1, 1, 2, 2.5), fc.string())
const name = fc.constantFrom('a', 'b', 'c', 'length', '__proto__')
const { body } = fc.letrec((tie) => ({
  body: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.dictionary(name, tie('body'), { maxKeys: 3 }),
    fc.array(tie('body'), { maxLength: 3 }),
  ),
}))
const operator = fc.constantFrom('=', '<', '<=', '>', '>=', '!')
const number = fc.constantFrom(-1, 0, 1, 2, 2.5, 'a')
const condition = fc.oneof(
  scalar,
  scalar.map((prefix) => ({ prefix })),
  fc.boolean().map((exists) => ({ exists })),
  fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })).map((values) => ({ 'anything-but': values })),
  fc
    .oneof(fc.tuple(operator, number), fc.tuple(operator, number, operator, number), fc.array(scalar, { maxLength: 3 }))
    .map((numeric) => ({ numeric })),
  fc.constant({ prefix: 'a', exists: true }),
  body,
)
const { filter } = fc.letrec((tie) => ({
  filter: fc.dictionary(name, fc.oneof({ maxDepth: 3 }, fc.array(condition, { maxLength: 3 }), tie('filter')), {
    maxKeys: 2,
  }),
}))

describe('a filter of the client', () => {
  test('lets through what that of the service does, and refuses what that refuses', () => {
    fc.assert(
      fc.property(fc.oneof(filter, body), fc.array(body, { maxLength: 4 }), (filter, bodies) => {
        const ofService = compileOfService(filter as Json)
        // Those limits are the affair of the service.
        fc.pre(typeof ofService !== 'string' || (!ofService.includes('more than') && !ofService.includes('longer')))
        if (typeof ofService === 'string') {
          assert.throws(() => compileFilter(filter as Record<string, unknown>), BadRequest)
          return
        }
        const ofClient = compileFilter(filter as Record<string, unknown>)
        for (const body of bodies) assert.equal(ofClient(body), ofService(body as Json), JSON.stringify(body))
      }),
      { numRuns: 1_000 },
    )
  })

  test('knows each kind of condition', () => {
    const wants = (filter: Record<string, unknown>, body: unknown) => compileFilter(filter)(body)
    assert.equal(wants({ a: [{ prefix: 'we' }] }, { a: 'web' }), true)
    assert.equal(wants({ a: [{ numeric: ['>', 1, '<=', 3] }] }, { a: 3 }), true)
    assert.equal(wants({ a: [{ numeric: ['>', 1, '<=', 3] }] }, { a: 1 }), false)
    assert.equal(wants({ a: [{ 'anything-but': ['x'] }] }, { a: ['x', 'y'] }), true)
    assert.equal(wants({ a: [{ exists: false }] }, {}), true)
    assert.equal(wants({ a: { b: [null] } }, { a: [{ b: 1 }, { b: null }] }), true)
    assert.equal(wants({}, 'text'), true)
    assert.equal(wants({ a: [1] }, 'text'), false)
  })
})
