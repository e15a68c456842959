import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startService } from '../../src/service.ts'
import { load } from '../config/memory.ts'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { CLIENT_ID, PROJECT, type TestClient } from '../support/test-client.ts'

const EAST = '/v2/pools/east'
const ADMIN = { 'X-Roles': 'admin' }

const probeStore = async (uri: string) => !uri.includes('unreachable')

function poolTests() {
  const given = freshService({}, { probeStore })
  return {
    get admin(): TestClient {
      return given.client.with(ADMIN)
    },
    get anybody(): TestClient {
      return given.client
    },
    put: (name: string, terms: object = {}, client = given.client.with(ADMIN)) =>
      client.put(`/v2/pools/${name}`, { uri: `sqlite:${name}`, weight: 100, ...terms }),
  }
}

describe('putting a pool', () => {
  const given = poolTests()

  test('answers 201 and its place every time, and overwrites', async () => {
    for (const terms of [{ weight: 1, options: { a: 1 }, flavor: 'gold' }, { weight: 2 }]) {
      const answer = await given.put('east', terms)
      assert.equal(answer.status, 201)
      assert.equal(answer.text, '')
      assert.equal(answer.headers['location'], EAST)
    }
    assert.equal(
      (await given.admin.get(`${EAST}?detailed=true`)).text,
      '{"name": "east", "flavor": null, "uri": "sqlite:east", "weight": 2, "options": {}, "href": "/v2/pools/east"}',
    )
  })

  test('takes any name', async () => {
    const answer = await given.put('a%20%C3%A9%22%3F')
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['location'], '/v2/pools/a%20%C3%A9%22%3F')
    const pool = json(await given.admin.get('/v2/pools/a%20%C3%A9%22%3F'))
    assert.equal(pool.name, 'a é"?')
    assert.equal(pool.href, '/v2/pools/a%20%C3%A9%22%3F')
  })

  test('takes the greatest weight, the longest texts and options of any kind', async () => {
    const uri = `sqlite:${'x'.repeat(248)}`
    const options = '{"n": 1.0, "big": 9007199254740993, "l": [null]}'
    const flavor = 'f'.repeat(255)
    const body = `{"uri": "${uri}", "weight": 4294967295, "options": ${options}, "flavor": "${flavor}"}`
    assert.equal((await given.admin.put(EAST, body)).status, 201)
    assert.equal(
      (await given.admin.get(`${EAST}?detailed=1`)).text,
      `{"name": "east", "flavor": "${flavor}", "uri": "${uri}", "weight": 4294967295, ` +
        `"options": ${options}, "href": "/v2/pools/east"}`,
    )
  })

  test('takes no control characters for a name', async () => {
    assertError(await given.put('a%00b'), 400, 'Invalid API request')
    assertError(await given.admin.get('/v2/pools/a%0Ab'), 400, 'Invalid API request')
  })

  test('takes 255 characters for a name, and 256 for the id of a project', async () => {
    const project = (length: number) => given.admin.with({ 'X-Project-Id': 'p'.repeat(length) })
    assert.equal((await project(256).put(`/v2/pools/${'n'.repeat(255)}`, pool)).status, 201)
    assertError(await given.put('n'.repeat(256)), 400, 'Invalid API request', '255')
    assertError(await project(257).put(EAST, pool), 400, 'Invalid API request', '256')
  })

  const pool = { uri: 'sqlite:east', weight: 1 }
  const refused: [what: string, body: unknown][] = [
    ['no body', undefined],
    ['an empty body', ''],
    ['no JSON', '{'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['a list', []],
    ['null', 'null'],
    ['a number', '1.5'],
    ['no uri', { weight: 1 }],
    ['no weight', { uri: 'sqlite:east' }],
    ['a field that is not known', { ...pool, name: 'east' }],
    ['a uri that is null', { ...pool, uri: null }],
    ['a uri that is too long', { ...pool, uri: 'x'.repeat(256) }],
    ['a weight that is null', { ...pool, weight: null }],
    ['a negative weight', { ...pool, weight: -1 }],
    ['a weight that is too great', { ...pool, weight: 4294967296 }],
    ['a weight with a fraction', { ...pool, weight: 1.5 }],
    ['a weight that is a text', { ...pool, weight: '1' }],
    ['options that are null', { ...pool, options: null }],
    ['options that are a list', { ...pool, options: [] }],
    ['options that are a number', { ...pool, options: 1.5 }],
    ['a flavor that is null', { ...pool, flavor: null }],
    ['a flavor that is too long', { ...pool, flavor: 'x'.repeat(256) }],
    ['a flavor with a control character', { ...pool, flavor: 'a\u0000' }],
    ['a flavor with half a surrogate pair', { ...pool, flavor: 'a\ud800' }],
    ['a uri with a control character', { ...pool, uri: 'sqlite:\u0000' }],
  ]
  for (const [what, body] of refused) {
    test(`refuses ${what}`, async () => {
      assertError(await given.admin.put(EAST, body), 400, 'Invalid request body')
      assert.equal((await given.admin.get(EAST)).status, 404)
    })
  }

  test('takes other characters than those of the alphabet', async () => {
    const flavor = '\u6f22\u{1f600}/ %'
    assert.equal((await given.admin.put('/v2/pools/%F0%9F%98%80%20%25', { ...pool, flavor })).status, 201)
    assert.equal(json(await given.admin.get('/v2/pools/%F0%9F%98%80%20%25')).flavor, flavor)
  })

  test('says that what is no JSON could not be parsed', async () => {
    for (const body of ['', '{', Buffer.from([0xff])]) {
      assert.equal(json(await given.admin.put(EAST, body)).description, 'JSON could not be parsed.')
    }
  })

  test('refuses a store that cannot be reached', async () => {
    const answer = await given.put('east', { uri: 'redis://unreachable' })
    assertError(answer, 400, 'Invalid request body')
    assert.equal(json(answer).description, 'cannot connect to redis://unreachable')
    assert.equal((await given.admin.get(EAST)).status, 404)
  })

  test('refuses the URI of another pool', async () => {
    await given.put('east')
    assertError(await given.put('west', { uri: 'sqlite:east' }), 409, 'Resource conflict', 'sqlite:east')
    assert.equal((await given.put('east', { weight: 5 })).status, 201)
  })
})

describe('reading pools', () => {
  const given = poolTests()

  test('shows options when details are asked for', async () => {
    await given.put('east', { options: { a: 1 }, flavor: 'gold' })
    assert.equal(
      (await given.admin.get(EAST)).text,
      '{"name": "east", "flavor": "gold", "uri": "sqlite:east", "weight": 100, "href": "/v2/pools/east"}',
    )
    assert.equal(
      (await given.admin.get(`${EAST}?detailed=true`)).text,
      '{"name": "east", "flavor": "gold", "uri": "sqlite:east", "weight": 100, "options": {"a": 1}, ' +
        '"href": "/v2/pools/east"}',
    )
    assertError(await given.admin.get(`${EAST}?detailed=maybe`), 400, 'Invalid parameter', 'detailed')
  })

  test('names one that is missing', async () => {
    assertError(await given.admin.get('/v2/pools/nowhere'), 404, 'Not found', 'nowhere')
  })

  test('lists links first, and says where the content is', async () => {
    const empty = await given.admin.get('/v2/pools')
    assert.equal(empty.text, '{"links": [], "pools": []}')
    assert.equal(empty.headers['content-location'], '/v2/pools')
    await given.put('east', { options: { a: 1 } })
    const target = '/v2/pools?limit=1&detailed=True&x=%20'
    const answer = await given.admin.get(target)
    assert.equal(answer.headers['content-location'], target)
    assert.equal(
      answer.text,
      '{"links": [{"rel": "next", "href": "/v2/pools?limit=1&detailed=true&marker=east"}], ' +
        '"pools": [{"name": "east", "flavor": null, "uri": "sqlite:east", "weight": 100, "options": {"a": 1}, ' +
        '"href": "/v2/pools/east"}]}',
    )
    assert.ok((await given.admin.get('/v2/pools?marker=a&limit=1')).text.includes('"/v2/pools?marker=east&limit=1"'))
  })

  test('lists them by name, ten to a page unless asked for up to twenty', async () => {
    for (let n = 0; n < 21; n++) await given.put(`p${n}`)
    const sizes = async (query: string) => json(await given.admin.get(`/v2/pools${query}`)).pools.length
    assert.equal(await sizes(''), 10)
    assert.equal(await sizes('?limit=20'), 20)
    const names = json(await given.admin.get('/v2/pools?limit=3&marker=p18')).pools.map(
      ({ name }: { name: string }) => name,
    )
    assert.deepEqual(names, ['p19', 'p2', 'p20'])
    for (const limit of [0, 21, -1]) {
      assertError(await given.admin.get(`/v2/pools?limit=${limit}`), 400, 'Invalid API request', '20')
    }
    assertError(await given.admin.get('/v2/pools?limit=x'), 400, 'Invalid parameter')
  })
})

describe('updating a pool', () => {
  const given = poolTests()

  test('answers the pool without its options', async () => {
    await given.put('east', { options: { a: 1 } })
    for (const [change, shown] of [
      [{ weight: 7 }, '"flavor": null, "uri": "sqlite:east", "weight": 7'],
      [{ uri: 'sqlite:new' }, '"flavor": null, "uri": "sqlite:new", "weight": 7'],
      [{ flavor: 'gold' }, '"flavor": "gold", "uri": "sqlite:new", "weight": 7'],
      [{ options: { b: 2 }, other: 1 }, '"flavor": "gold", "uri": "sqlite:new", "weight": 7'],
      [{ flavor: '' }, '"flavor": null, "uri": "sqlite:new", "weight": 7'],
    ] as const) {
      const answer = await given.admin.patch(EAST, change)
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.text, `{"name": "east", ${shown}, "href": "/v2/pools/east"}`)
    }
    assert.deepEqual(json(await given.admin.get(`${EAST}?detailed=1`)).options, { b: 2 })
  })

  for (const body of [
    undefined,
    '',
    '{',
    [],
    {},
    { name: 'x' },
    { uri: null },
    { uri: 7 },
    { weight: null },
    { weight: -1 },
    { weight: 1, options: null },
    { options: [] },
    { flavor: null },
    { uri: 'sqlite:unreachable' },
  ]) {
    test(`refuses ${JSON.stringify(body)}`, async () => {
      await given.put('east')
      assertError(
        await given.admin.patch(EAST, typeof body === 'object' ? JSON.stringify(body) : body),
        400,
        'Invalid request body',
      )
      assert.equal(json(await given.admin.get(EAST)).weight, 100)
    })
  }

  test('names one that is missing, after what is wrong with the request', async () => {
    assertError(await given.admin.patch('/v2/pools/nowhere', { weight: 1 }), 404, 'Not found', 'nowhere')
    assertError(await given.admin.patch('/v2/pools/nowhere', { weight: -1 }), 400, 'Invalid request body')
    assertError(await given.admin.patch('/v2/pools/nowhere', { uri: 'x:unreachable' }), 400, 'Invalid request body')
  })

  test('refuses the URI of another pool', async () => {
    await given.put('east')
    await given.put('west')
    assertError(await given.admin.patch(EAST, { uri: 'sqlite:west' }), 409, 'Resource conflict', 'sqlite:west')
  })
})

describe('deleting a pool', () => {
  const given = poolTests()

  test('succeeds whether it is there or not', async () => {
    await given.put('east')
    for (let n = 0; n < 2; n++) assertNoContent(await given.admin.delete(EAST))
    assert.equal((await given.admin.get(EAST)).status, 404)
  })

  test('is refused for the last one of a flavor, which is named', async () => {
    await given.put('east', { flavor: 'gold' })
    await given.put('west')
    await given.admin.put('/v2/flavors/gold', { pool_list: ['west'] })
    assertNoContent(await given.admin.delete('/v2/pools/west'))
    assertError(await given.admin.delete(EAST), 403, 'Unable to delete', 'gold')
    await given.admin.patch(EAST, { flavor: '' })
    assertNoContent(await given.admin.delete(EAST))
  })
})

describe('pools and who may do what', () => {
  const given = poolTests()

  test('are for admins', async () => {
    await given.put('east')
    const { anybody } = given
    const pool = { uri: 'sqlite:west', weight: 1 }
    for (const answer of [
      await anybody.get('/v2/pools'),
      await anybody.get(EAST),
      await anybody.put('/v2/pools/west', pool),
      await anybody.with({ 'X-Roles': 'member, reader' }).put('/v2/pools/west', pool),
      await anybody.patch(EAST, { weight: 1 }),
      await anybody.delete(EAST),
    ]) {
      assertError(answer, 403, 'Not authorized')
    }
    assert.equal((await given.admin.get('/v2/pools/west')).status, 404)
    assert.equal(json(await given.admin.get(EAST)).weight, 100)
  })

  test('are there for every project, in the flavors of each', async () => {
    await given.put('east', { flavor: 'gold' })
    const other = given.admin.with({ 'X-Project-Id': 'p2' })
    assert.equal(json(await other.get(EAST)).flavor, null)
    await other.patch(EAST, { flavor: 'silver', weight: 3 })
    const { flavor, weight } = json(await given.admin.get(EAST))
    assert.deepEqual({ flavor, weight }, { flavor: 'gold', weight: 3 })
    assertError(await other.delete(EAST), 403, 'Unable to delete', 'gold, silver')
  })
})

describe('the routes of pools', () => {
  const given = poolTests()

  for (const [path, allow] of [
    ['/v2/pools', 'GET'],
    [EAST, 'DELETE, GET, PATCH, PUT'],
  ] as const) {
    test(`${path} takes ${allow} alone`, async () => {
      const answer = await given.admin.send('POST', path)
      assert.equal(answer.status, 405)
      assert.equal(answer.headers['allow'], `${allow}, OPTIONS`)
    })
  }
})

describe('the store of a pool', () => {
  test('is tried before the pool is accepted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'zaqar-pools-'))
    const own = `sqlite:${join(folder, 'own.db')}`
    const { config } = load({ argv: ['--data-dir', folder, '--storage', own, '--port', '0'] })
    const service = await startService(config, [])
    const put = (uri: string) =>
      fetch(`${service.url}/v2/pools/p`, {
        method: 'PUT',
        headers: { 'Client-ID': CLIENT_ID, 'X-Project-Id': PROJECT, ...ADMIN },
        body: JSON.stringify({ uri, weight: 1 }),
      })
    try {
      const before = await readdir(folder)
      assert.equal((await put(`sqlite:${join(folder, 'pool.db')}`)).status, 201)
      assert.equal((await put(`sqlite://${join(folder, 'pool.db')}`)).status, 201)
      assert.equal((await put(own)).status, 201, 'the one that is open')
      assert.deepEqual(await readdir(folder), before, 'none is made')
      for (const uri of ['sqlite::memory:', 'mongodb://db1/z', '', 'sqlite:/etc/passwd', 'sqlite:/none/such.db']) {
        const answer = await put(uri)
        assert.equal(answer.status, 400)
        const { title, description } = (await answer.json()) as { title: string; description: string }
        assert.equal(title, 'Invalid request body')
        assert.equal(description, `cannot connect to ${uri}`)
      }
    } finally {
      await service.close()
      await rm(folder, { recursive: true })
    }
  })
})
