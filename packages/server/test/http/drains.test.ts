import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const ADMIN = { 'X-Roles': 'admin' }
const EAST = '/v2/pools/east'
const NOW = '2026-03-01T10:00:00Z'

/** A service with pooling, where nobody works at what is asked for: what is done is tried in test/nodes. */
function drainTests(env: Record<string, string> = { OS_DEFAULT__POOLING: 'true' }) {
  const given = freshService(env)
  return {
    get clock() {
      return given.clock
    },
    get admin() {
      return given.client.with(ADMIN)
    },
    get anybody() {
      return given.client
    },
    putPool: (name: string, weight = 100) =>
      given.client.with(ADMIN).put(`/v2/pools/${name}`, { uri: `sqlite:${name}`, weight }),
  }
}

const none = { queues_left: null, queues_moved: 0, records_moved: 0, trouble: null }

for (const [what, path, active, extra] of [
  ['a drain', `${EAST}/drain`, 'draining', { pool: 'east' }],
  ['the rebalance', '/v2/rebalance', 'rebalancing', {}],
] as const) {
  describe(what, () => {
    const given = drainTests()

    test('is asked for, shown and cancelled', async () => {
      await given.putPool('east')
      assertError(await given.admin.get(path), 404, 'Not found', 'Nobody has asked')
      const asked = { ...extra, status: active, rate: null, asked: NOW, ended: null, ...none }
      const answer = await given.admin.put(path)
      assert.equal(answer.status, 202)
      assert.deepEqual(json(answer), asked)
      assert.deepEqual(json(await given.admin.get(path)), asked)
      given.clock.advance(2_000)
      for (let n = 0; n < 2; n++) assertNoContent(await given.admin.delete(path))
      const cancelled = { ...asked, status: 'cancelled', ended: '2026-03-01T10:00:02Z' }
      assert.deepEqual(json(await given.admin.get(path)), cancelled)
    })

    test('has a rate, which may be given anew', async () => {
      await given.putPool('east')
      for (const [body, rate] of [
        [{ rate: 500, other: 1 }, 500],
        [{}, null],
        [{ rate: 1_000_000 }, 1_000_000],
        ['', null],
      ] as const) {
        const answer = await given.admin.put(path, body)
        assert.equal(answer.status, 202, answer.text)
        assert.equal(json(answer).rate, rate)
      }
      for (const rate of [0, -1, 1_000_001]) {
        assertError(await given.admin.put(path, { rate }), 400, 'Invalid API request', '1000000')
      }
      for (const body of ['{', [], { rate: 'fast' }, { rate: 1.5 }, { rate: null }]) {
        assertError(await given.admin.put(path, body), 400, 'Invalid request body')
      }
      assert.equal(json(await given.admin.get(path)).rate, null)
    })

    test('that nobody asked for is cancelled without an error', async () => {
      assertNoContent(await given.admin.delete(path))
    })

    test('is for admins', async () => {
      await given.putPool('east')
      const { anybody } = given
      for (const answer of [await anybody.put(path), await anybody.get(path), await anybody.delete(path)]) {
        assertError(answer, 403, 'Not authorized')
      }
    })

    test('is an addition to v2 alone', async () => {
      for (const version of ['/v1', '/v1.1']) {
        assert.equal((await given.admin.get(path.replace('/v2', version))).status, 404)
      }
    })
  })

  describe(`${what}, without pooling`, () => {
    const given = drainTests({})

    test('cannot be', async () => {
      await given.putPool('east')
      assertError(await given.admin.put(path), 409, 'Resource conflict', 'pooling')
      assert.equal((await given.admin.get(path)).status, 404)
    })
  })
}

describe('a pool that is drained', () => {
  const given = drainTests()
  const weight = async () => json(await given.admin.get(EAST)).weight

  test('must be there', async () => {
    assertError(await given.admin.put('/v2/pools/nowhere/drain'), 404, 'Not found', 'nowhere')
    assertError(await given.admin.put('/v2/pools/a%00b/drain'), 400, 'Invalid API request')
  })

  test('has no weight, and gets none until that is cancelled', async () => {
    await given.putPool('east', 7)
    await given.admin.put(`${EAST}/drain`)
    assert.equal(await weight(), 0)
    assertError(await given.putPool('east'), 409, 'Resource conflict', 'drained')
    assertError(await given.admin.patch(EAST, { weight: 1 }), 409, 'Resource conflict', 'drained')
    assert.equal((await given.admin.patch(EAST, { options: { a: 1 }, weight: 0 })).status, 200)
    await given.admin.delete(`${EAST}/drain`)
    assert.equal(await weight(), 7)
    assert.equal((await given.admin.patch(EAST, { weight: 1 })).status, 200)
  })

  test('can be deleted when it holds nothing, and its drain goes with it', async () => {
    await given.putPool('east')
    await given.admin.put(`${EAST}/drain`)
    assertNoContent(await given.admin.delete(EAST))
    assert.equal((await given.admin.get(`${EAST}/drain`)).status, 404)
    await given.putPool('east')
    assert.equal((await given.admin.get(`${EAST}/drain`)).status, 404)
  })
})
