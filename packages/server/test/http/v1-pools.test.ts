import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const EAST = { uri: 'sqlite:east.db', weight: 100 }

for (const version of ['/v1', '/v1.1']) {
  describe(`pools of ${version}`, () => {
    const given = freshService()
    const admin = () => given.client.with({ 'X-Roles': 'admin' })
    const east = `${version}/pools/east`

    test('take no flavor of their own', async () => {
      const answer = await admin().put(east, { ...EAST, flavor: 'gold', options: { x: 1 } })
      assert.equal(answer.status, 201)
      assert.equal(answer.headers['location'], east)
      const shown = await admin().get(`${east}?detailed=true`)
      assert.equal(
        shown.text,
        `{"name": "east", "flavor": null, "uri": "sqlite:east.db", "weight": 100, "options": {"x": 1}, "href": "${east}"}`,
      )
      assert.equal(shown.headers['content-location'], version === '/v1' ? `${east}?detailed=true` : undefined)
    })

    test('answer a change with nothing', async () => {
      await admin().put(east, EAST)
      const answer = await admin().patch(east, { weight: 7, flavor: 'gold' })
      assert.equal(answer.status, 200)
      assert.equal(answer.text, '')
      const { weight, flavor } = json(await admin().get(east))
      assert.deepEqual({ weight, flavor }, { weight: 7, flavor: null })
    })

    test('do not count a flavor as a change', async () => {
      await admin().put(east, EAST)
      assertError(await admin().patch(east, { flavor: 'gold' }), 400, 'Invalid request body', 'uri, weight, options')
      assertError(await admin().patch(east, {}), 400, 'Invalid request body')
    })

    test('are listed to any length, all of them with a limit of 0', async () => {
      for (let number = 0; number < 25; number++) {
        await admin().put(`${version}/pools/p${number}`, { ...EAST, uri: `sqlite:${number}.db` })
      }
      const listed = async (query: string) => json(await admin().get(`${version}/pools${query}`)).pools.length
      assert.equal(await listed(''), 10)
      assert.equal(await listed('?limit=24'), 24)
      assert.equal(await listed('?limit=0'), 25)
      const answer = await admin().get(`${version}/pools?limit=1`)
      assert.equal(answer.headers['content-location'], `${version}/pools?limit=1`)
      assert.equal(json(answer).links[0].href, `${version}/pools?limit=1&marker=p0`)
      assertError(await admin().get(`${version}/pools?limit=-1`), 400, 'Invalid API request')
    })

    test('that are the last of a flavor stay', async () => {
      await admin().put('/v2/pools/east', EAST)
      await admin().put('/v2/flavors/gold', { pool_list: ['east'] })
      assertError(await admin().delete(east), 403, 'Unable to delete', 'gold')
      await admin().delete('/v2/flavors/gold')
      assertNoContent(await admin().delete(east))
    })
  })
}

describe('flavors of v1.1', () => {
  const given = freshService()

  test('work as those of v2', async () => {
    const admin = given.client.with({ 'X-Roles': 'admin' })
    await admin.put('/v1.1/pools/east', EAST)
    const answer = await admin.put('/v1.1/flavors/gold', { pool_list: ['east'], capabilities: {} })
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['location'], '/v1.1/flavors/gold')
    const { href, pool_list } = json(await given.client.get('/v1.1/flavors/gold'))
    assert.deepEqual({ href, pool_list }, { href: '/v1.1/flavors/gold', pool_list: ['east'] })
    assert.equal(json(await given.client.get('/v1.1/flavors')).flavors[0].name, 'gold')
    assertNoContent(await admin.delete('/v1.1/flavors/gold'))
    assertError(await given.client.get('/v1.1/flavors/gold'), 404, 'Not found', 'gold')
  })

  test('do not exist in v1', async () => {
    assert.equal((await given.client.get('/v1/flavors')).status, 404)
  })
})
