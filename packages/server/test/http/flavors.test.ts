import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import type { TestClient } from '../support/test-client.ts'

const GOLD = '/v2/flavors/gold'
const OF_MEMORY = '["FIFO", "CLAIMS", "AOD", "HIGH_THROUGHPUT"]'

function flavorTests() {
  const given = freshService()
  const admin = () => given.client.with({ 'X-Roles': 'admin' })
  return {
    get admin(): TestClient {
      return admin()
    },
    get anybody(): TestClient {
      return given.client
    },
    async pools(...names: string[]): Promise<void> {
      for (const name of names) await admin().put(`/v2/pools/${name}`, { uri: `sqlite:${name}`, weight: 1 })
    },
    /** The flavors that pools say they belong to. */
    async flavorsOf(...names: string[]): Promise<(string | null)[]> {
      return Promise.all(names.map(async (name) => json(await admin().get(`/v2/pools/${name}`)).flavor))
    },
  }
}

describe('putting a flavor', () => {
  const given = flavorTests()

  test('answers 201 and its place every time, and takes the pools in', async () => {
    await given.pools('east', 'west')
    for (const body of [{ pool_list: ['east'] }, { pool_list: ['west', 'west'], capabilities: { FIFO: true } }]) {
      const answer = await given.admin.put(GOLD, body)
      assert.equal(answer.status, 201, answer.text)
      assert.equal(answer.text, '')
      assert.equal(answer.headers['location'], GOLD)
    }
    assert.deepEqual(await given.flavorsOf('east', 'west'), ['gold', 'gold'])
    assert.deepEqual(json(await given.anybody.get(GOLD)).pool_list, ['east', 'west'], 'the earlier one stays')
  })

  test('takes pools out of the flavor that they were in', async () => {
    await given.pools('east')
    await given.admin.put(GOLD, { pool_list: ['east'] })
    await given.admin.put('/v2/flavors/silver', { pool_list: ['east'] })
    assert.deepEqual(await given.flavorsOf('east'), ['silver'])
    assert.equal(
      (await given.anybody.get(GOLD)).text,
      '{"name": "gold", "capabilities": [], "pool_list": [], "href": "/v2/flavors/gold"}',
    )
  })

  test('refuses an empty list', async () => {
    const answer = await given.admin.put(GOLD, { pool_list: [] })
    assertError(answer, 400, 'Unable to create')
    assert.equal(json(answer).description, 'Bad Request')
    assert.equal(answer.headers['location'], GOLD)
  })

  test('refuses an unknown pool, and does nothing then', async () => {
    await given.pools('east')
    const answer = await given.admin.put(GOLD, { pool_list: ['east', 'nowhere'] })
    assertError(answer, 400, 'Unable to create', 'gold', 'nowhere')
    assert.deepEqual(await given.flavorsOf('east'), [null])
    assert.equal((await given.anybody.get(GOLD)).status, 404)
  })

  test('takes 255 characters for a name, and 256 for the id of a project', async () => {
    await given.pools('east')
    const project = (length: number) => given.admin.with({ 'X-Project-Id': 'p'.repeat(length) })
    const body = { pool_list: ['east'] }
    assert.equal((await project(256).put(`/v2/flavors/${'n'.repeat(255)}`, body)).status, 201)
    assertError(await project(256).put(`/v2/flavors/${'n'.repeat(256)}`, body), 400, 'Invalid API request', '255')
    assertError(await project(257).put(GOLD, body), 400, 'Invalid API request', '256')
    assertError(await project(257).patch(GOLD, body), 400, 'Invalid API request', '256')
    assertError(await given.admin.put(GOLD, { pool_list: ['n'.repeat(256)] }), 400, 'Invalid API request', '255')
  })

  for (const body of [
    undefined,
    '',
    '{',
    '[]',
    'null',
    '{}',
    '{"pool_list": null}',
    '{"pool_list": "east"}',
    '{"pool_list": [1]}',
    '{"pool_list": ["east"], "capabilities": []}',
    '{"pool_list": ["east"], "pool": "east"}',
    '{"capabilities": {}}',
  ]) {
    test(`refuses ${JSON.stringify(body)}`, async () => {
      await given.pools('east')
      assertError(await given.admin.put(GOLD, body), 400, 'Invalid request body')
    })
  }

  test('says that what is no JSON could not be parsed', async () => {
    assert.equal(json(await given.admin.put(GOLD, '')).description, 'JSON could not be parsed.')
  })
})

describe('reading flavors', () => {
  const given = flavorTests()

  test('shows what its stores can do', async () => {
    await given.pools('east')
    await given.admin.put(GOLD, { pool_list: ['east'] })
    const document = `{"name": "gold", "capabilities": ${OF_MEMORY}, "pool_list": ["east"], "href": "/v2/flavors/gold"}`
    for (const query of ['', '?detailed=true', '?detailed=false']) {
      assert.equal((await given.anybody.get(`${GOLD}${query}`)).text, document)
    }
    assertError(await given.anybody.get('/v2/flavors/nothing'), 404, 'Not found', 'nothing')
  })

  test('lists links first', async () => {
    assert.equal((await given.anybody.get('/v2/flavors')).text, '{"links": [], "flavors": []}')
    await given.pools('east')
    await given.admin.put('/v2/flavors/empty', { pool_list: ['east'] })
    await given.admin.put(GOLD, { pool_list: ['east'] })
    assert.equal(
      (await given.anybody.get('/v2/flavors')).text,
      '{"links": [{"rel": "next", "href": "/v2/flavors?marker=gold"}], ' +
        '"flavors": [{"name": "empty", "href": "/v2/flavors/empty"}, ' +
        '{"name": "gold", "href": "/v2/flavors/gold", "pool_list": ["east"]}]}',
    )
    assert.equal(
      (await given.anybody.get('/v2/flavors?detailed=1&limit=5')).text,
      '{"links": [{"rel": "next", "href": "/v2/flavors?limit=5&marker=gold&detailed=true"}], ' +
        '"flavors": [{"name": "empty", "href": "/v2/flavors/empty", "capabilities": []}, ' +
        `{"name": "gold", "href": "/v2/flavors/gold", "pool_list": ["east"], "capabilities": ${OF_MEMORY}}]}`,
    )
    const { links } = json(await given.anybody.get('/v2/flavors?detailed=1&limit=1&marker=empty'))
    assert.equal(links[0].href, '/v2/flavors?marker=gold&limit=1&detailed=true')
  })

  test('lists them by name, ten to a page unless asked for up to twenty', async () => {
    await given.pools('east')
    for (let n = 0; n < 21; n++) await given.admin.put(`/v2/flavors/f${n}`, { pool_list: ['east'] })
    const sizes = async (query: string) => json(await given.anybody.get(`/v2/flavors${query}`)).flavors.length
    assert.equal(await sizes(''), 10)
    assert.equal(await sizes('?limit=20'), 20)
    assert.equal(await sizes('?marker=f19'), 9)
    for (const limit of [0, 21]) {
      assertError(await given.anybody.get(`/v2/flavors?limit=${limit}`), 400, 'Invalid API request', '20')
    }
    assertError(await given.anybody.get('/v2/flavors?detailed=2'), 400, 'Invalid parameter', 'detailed')
  })
})

describe('updating a flavor', () => {
  const given = flavorTests()

  test('answers it, with these pools alone', async () => {
    await given.pools('east', 'west', 'north')
    await given.admin.put(GOLD, { pool_list: ['east', 'north'] })
    const answer = await given.admin.patch(GOLD, { pool_list: ['west', 'north', 'north'], other: 1 })
    assert.equal(answer.status, 200)
    assert.equal(
      answer.text,
      `{"name": "gold", "capabilities": ${OF_MEMORY}, "pool_list": ["north", "west"], "href": "/v2/flavors/gold"}`,
    )
    assert.deepEqual(await given.flavorsOf('east', 'north', 'west'), [null, 'gold', 'gold'])
    assert.deepEqual(json(await given.anybody.get(GOLD)).pool_list, ['north', 'west'])
  })

  test('refuses an empty list and an unknown pool, and does nothing then', async () => {
    await given.pools('east')
    await given.admin.put(GOLD, { pool_list: ['east'] })
    const empty = await given.admin.patch(GOLD, { pool_list: [] })
    assertError(empty, 400, 'Unable to create')
    assert.equal(empty.headers['location'], GOLD)
    assertError(await given.admin.patch(GOLD, { pool_list: ['nowhere'] }), 400, 'updatefail', 'gold', 'nowhere')
    assert.deepEqual(json(await given.anybody.get(GOLD)).pool_list, ['east'])
  })

  test('names one that is missing', async () => {
    await given.pools('east')
    assertError(await given.admin.patch(GOLD, { pool_list: ['east'] }), 404, 'Not found', 'gold')
    assert.deepEqual(await given.flavorsOf('east'), [null])
  })

  for (const body of [undefined, '', '{', '{}', '{"capabilities": {}}', '{"pool_list": null}', '{"pool_list": {}}']) {
    test(`refuses ${JSON.stringify(body)}`, async () => {
      assertError(await given.admin.patch(GOLD, body), 400, 'Invalid request body')
    })
  }
})

describe('deleting a flavor', () => {
  const given = flavorTests()

  test('always succeeds, and its pools belong to nothing then', async () => {
    await given.pools('east')
    await given.admin.put(GOLD, { pool_list: ['east'] })
    for (let n = 0; n < 2; n++) assertNoContent(await given.admin.delete(GOLD))
    assert.deepEqual(await given.flavorsOf('east'), [null])
    assert.equal((await given.anybody.get(GOLD)).status, 404)
  })
})

describe('flavors, projects and roles', () => {
  const given = flavorTests()

  test('flavors of the same name in two projects have nothing in common', async () => {
    await given.pools('east', 'west')
    await given.admin.put(GOLD, { pool_list: ['east', 'west'] })
    const other = given.admin.with({ 'X-Project-Id': 'p2' })
    assert.equal((await other.get(GOLD)).status, 404)
    assert.deepEqual(json(await other.get('/v2/flavors')).flavors, [])
    await other.put(GOLD, { pool_list: ['east'] })
    await other.patch(GOLD, { pool_list: ['west'] })
    await other.patch('/v2/pools/east', { flavor: 'own' })
    await other.delete(GOLD)
    assert.deepEqual(json(await given.anybody.get(GOLD)).pool_list, ['east', 'west'])
    assert.deepEqual(await given.flavorsOf('east', 'west'), ['gold', 'gold'])
  })

  test('everybody may read them, admins may change them', async () => {
    await given.pools('east')
    const body = { pool_list: ['east'] }
    assertError(await given.anybody.put(GOLD, body), 403, 'Not authorized')
    await given.admin.put(GOLD, body)
    assertError(await given.anybody.patch(GOLD, body), 403, 'Not authorized')
    assertError(await given.anybody.delete(GOLD), 403, 'Not authorized')
    assert.equal((await given.anybody.get(GOLD)).status, 200)
    assert.equal((await given.anybody.get('/v2/flavors')).status, 200)
  })
})

describe('the routes of flavors', () => {
  const given = flavorTests()

  for (const [path, allow] of [
    ['/v2/flavors', 'GET'],
    [GOLD, 'DELETE, GET, PATCH, PUT'],
  ] as const) {
    test(`${path} takes ${allow} alone`, async () => {
      const answer = await given.anybody.send('POST', path)
      assert.equal(answer.status, 405)
      assert.equal(answer.headers['allow'], `${allow}, OPTIONS`)
    })
  }
})
