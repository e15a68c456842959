import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { openInProcess } from '../support/in-process.ts'
import { waits } from '../support/settled.ts'
import type { TestAnswer } from '../support/test-client.ts'

const CLAIMS = '/v2/queues/jobs/claims'
const MESSAGES = '/v2/queues/jobs/messages'

const given = freshService()

interface Finished {
  readonly id: string
  readonly claim_id: string
}

/** Claims up to `limit` messages and answers them as what a worker would finish. */
async function claim(limit: number): Promise<Finished[]> {
  return finishedOf(await given.client.post(`${CLAIMS}?limit=${limit}`))
}

function finishedOf(answer: TestAnswer): Finished[] {
  assert.equal(answer.status, 201, answer.text)
  const claimId = answer.headers['location']?.split('/').at(-1) ?? ''
  return json(answer).messages.map(({ id }: { id: string }) => ({ id, claim_id: claimId }))
}

function bodiesIn(answer: TestAnswer): unknown[] {
  return json(answer).messages.map(({ body }: { body: unknown }) => body)
}

/** The bodies of all messages, claimed ones too. */
async function kept(): Promise<unknown[]> {
  return bodiesIn(await given.client.get(`${MESSAGES}?echo=true&include_claimed=true&limit=20`))
}

/** How many messages are claimed. */
async function claimedCount(): Promise<number> {
  return json(await given.client.get('/v2/queues/jobs/stats')).messages.claimed
}

describe('a claim with delete', () => {
  test('deletes what is finished and answers what is next', async () => {
    const ids = await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const [first] = await claim(1)
    const answer = await given.client.post(`${CLAIMS}?limit=1`, { delete: [first], ttl: 100 })
    assert.equal(answer.status, 201)
    const claimId = answer.headers['location']?.split('/').at(-1)
    assert.equal(answer.headers['location'], `${CLAIMS}/${claimId}`)
    assert.equal(
      answer.text,
      `{"messages": [{"id": "${ids[1]}", "href": "${MESSAGES}/${ids[1]}?claim_id=${claimId}", "ttl": 3600, "age": 0, "body": 2}], "gone": []}`,
    )
    assert.equal(json(await given.client.get(answer.headers['location'] as string)).ttl, 100)
    assert.deepEqual(await kept(), [2, 3])
  })

  test('answers 200 without a place where there is nothing to claim', async () => {
    await given.post('jobs', { body: 1 })
    const answer = await given.client.post(CLAIMS, { delete: await claim(1) })
    assert.equal(answer.status, 200)
    assert.equal(answer.text, '{"messages": [], "gone": []}')
    assert.equal(answer.headers['location'], undefined)
    assert.deepEqual(await kept(), [])
  })

  test('deletes of several claims at once, and nothing where nothing is finished', async () => {
    await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const finished = [...(await claim(1)), ...(await claim(1))]
    assert.deepEqual(bodiesIn(await given.client.post(CLAIMS, { delete: finished })), [3])
    const answer = await given.client.post(CLAIMS, { delete: [] })
    assert.deepEqual([answer.status, json(answer)], [200, { messages: [], gone: [] }])
    assert.deepEqual(await kept(), [3])
  })

  test('tells apart what was gone already: deleted, expired, or never there', async () => {
    await given.post('jobs', { body: 1 }, { body: 2 })
    const [first, second] = await claim(2)
    await given.client.delete(`${MESSAGES}/${first?.id}?claim_id=${first?.claim_id}`)
    const never = { id: 'no " id', claim_id: 'none' }
    const answer = await given.client.post(CLAIMS, { delete: [first, second, never] })
    assert.deepEqual([answer.status, json(answer).gone], [200, [first?.id, never.id]])
    const again = await given.client.post(CLAIMS, { delete: [second] })
    assert.deepEqual([again.status, json(again).gone], [200, [second?.id]])
  })

  test('says of a queue that does not exist that all is gone, and does not create it', async () => {
    const answer = await given.client.post(CLAIMS, { delete: [{ id: 'x', claim_id: 'y' }] })
    assert.deepEqual([answer.status, json(answer)], [200, { messages: [], gone: ['x'] }])
    assert.deepEqual(json(await given.client.get('/v2/queues')).queues, [])
  })

  describe('does nothing at all', () => {
    test('when a message is held by another claim', async () => {
      await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
      const [first] = await claim(1)
      const [second] = await claim(1)
      const wrong = { id: second?.id, claim_id: first?.claim_id }
      const answer = await given.client.post(CLAIMS, { delete: [first, wrong] })
      assertError(answer, 403, 'Unable to delete', second?.id as string)
      assert.ok(!answer.text.includes(first?.id as string))
      assert.deepEqual(await kept(), [1, 2, 3])
      assert.equal(await claimedCount(), 2)
    })

    test('when a message is not held any more', async () => {
      await given.post('jobs', { body: 1 })
      const finished = await claim(1)
      given.pass(300)
      assertError(await given.client.post(CLAIMS, { delete: finished }), 403, 'Unable to delete', finished[0]?.id ?? '')
      assert.deepEqual(await kept(), [1])
      assert.equal(await claimedCount(), 0)
    })

    test('when the terms of the claim are wrong', async () => {
      await given.post('jobs', { body: 1 })
      const finished = await claim(1)
      assertError(await given.client.post(CLAIMS, { delete: finished, ttl: 1 }), 400, 'Invalid API request', 'TTL')
      assert.equal((await given.client.post(`${CLAIMS}?limit=0`, { delete: finished })).status, 400)
      assert.equal((await given.client.post(`${CLAIMS}?wait=21`, { delete: finished })).status, 400)
      assert.deepEqual(await kept(), [1])
    })
  })

  for (const [name, value, mention] of [
    ['no list', {}, '"delete"'],
    ['null', null, '"delete"'],
    ['a list of ids alone', ['x'], '"delete"'],
    ['an element without an id', [{ claim_id: 'x' }], '"id"'],
    ['an element without a claim', [{ id: 'x' }], '"claim_id"'],
    ['an id that is no string', [{ id: 1, claim_id: 'x' }], '"id"'],
    ['a claim that is no string', [{ id: 'x', claim_id: null }], '"claim_id"'],
  ] as const) {
    test(`refuses ${name}`, async () => {
      assertError(await given.client.post(CLAIMS, { delete: value }), 400, 'Invalid request body', mention)
    })
  }

  test('takes as many messages as a page has, and no more', async () => {
    const finished = Array.from({ length: 21 }, (_, i) => ({ id: `x${i}`, claim_id: 'y' }))
    assertError(await given.client.post(CLAIMS, { delete: finished }), 400, 'Invalid API request', '"delete"', '20')
    assert.equal(json(await given.client.post(CLAIMS, { delete: finished.slice(1) })).gone.length, 20)
  })

  test('deletes at once, though it waits for something to claim', async () => {
    await given.post('jobs', { body: 1 })
    const finished = await claim(1)
    const waiting = given.client.post(`${CLAIMS}?wait=20`, { delete: finished })
    assert.ok(await waits(waiting))
    assert.deepEqual(await kept(), [])
    await given.post('jobs', { body: 2 })
    const answer = await waiting
    assert.equal(answer.status, 201)
    assert.deepEqual([bodiesIn(answer), json(answer).gone], [[2], []])
  })

  test('answers what was gone when the wait is over, and refuses without waiting', async () => {
    const waiting = given.client.post(`${CLAIMS}?wait=5`, { delete: [{ id: 'x', claim_id: 'y' }] })
    assert.ok(await waits(waiting))
    given.pass(5)
    const answer = await waiting
    assert.deepEqual([answer.status, json(answer)], [200, { messages: [], gone: ['x'] }])
    const [id] = await given.post('jobs', { body: 1 })
    const refused = await given.client.post(`${CLAIMS}?wait=5`, { delete: [{ id, claim_id: 'y' }] })
    assert.equal(refused.status, 403)
  })

  test('moves what was claimed too often to the dead letter queue, as any claim does', async () => {
    await given.client.put('/v2/queues/jobs', { _max_claim_count: 1, _dead_letter_queue: 'dead' })
    await given.post('jobs', { body: 1 }, { body: 2 })
    const [, second] = await claim(2)
    given.pass(300)
    const answer = await given.client.post(CLAIMS, { delete: [{ id: 'x', claim_id: second?.claim_id }] })
    assert.equal(answer.status, 200)
    assert.deepEqual(bodiesIn(await given.client.get('/v2/queues/dead/messages?echo=true')), [1, 2])
  })

  test('is unknown to older versions, which drop it', async () => {
    await given.post('jobs', { body: 1 })
    const finished = await claim(1)
    for (const prefix of ['/v1', '/v1.1']) {
      const path = `${prefix}/queues/jobs/claims`
      assertNoContent(await given.client.post(path, { ttl: 60, grace: 60, delete: finished }))
      assertNoContent(await given.client.post(path, { ttl: 60, grace: 60, delete: 'anything' }))
    }
    assert.deepEqual(await kept(), [1])
  })

  test('shows checksums where any claim does', async (t) => {
    const service = await openInProcess({ OS_DEFAULT__ENABLE_CHECKSUM: 'true' })
    t.after(service.close)
    await service.client.post(MESSAGES, { messages: [{ body: 1 }] })
    assert.match((await service.client.post(CLAIMS, { delete: [] })).text, /"checksum": "MD5:/)
  })
})

describe('a claim with delete and a key', () => {
  const repeatable = (finished: readonly unknown[], how = 'limit=1', key = 'take-1') =>
    given.client.post(`${CLAIMS}?${how}`, { delete: finished }, { headers: { 'Idempotency-Key': key } })

  test('answers the claim that it made when it is repeated, and what it deleted as gone', async () => {
    await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const finished = await claim(1)
    const first = await repeatable(finished)
    const again = await repeatable(finished)
    assert.deepEqual([first.status, again.status], [201, 201])
    assert.equal(again.headers['location'], first.headers['location'])
    assert.deepEqual(json(again).messages, json(first).messages)
    assert.deepEqual([json(first).gone, json(again).gone], [[], [finished[0]?.id]])
    assert.deepEqual(await kept(), [2, 3])
    assert.equal(await claimedCount(), 1)
  })

  test('claims in its repetition, where nothing was there to claim at first', async () => {
    await given.post('jobs', { body: 1 })
    const finished = await claim(1)
    assert.equal((await repeatable(finished)).status, 200)
    await given.post('jobs', { body: 2 })
    const again = await repeatable(finished)
    assert.deepEqual([again.status, bodiesIn(again), json(again).gone], [201, [2], [finished[0]?.id]])
  })

  test('is one claim with a repetition that comes while it still waits', async () => {
    await given.post('jobs', { body: 1 })
    const finished = await claim(1)
    const first = repeatable(finished, 'wait=20')
    assert.ok(await waits(first))
    const again = repeatable(finished, 'wait=20')
    assert.ok(await waits(again))
    await given.post('jobs', { body: 2 })
    assert.deepEqual([json(await first).gone, json(await again).gone], [[], [finished[0]?.id]])
    assert.equal((await again).headers['location'], (await first).headers['location'])
    assert.deepEqual([bodiesIn(await first), bodiesIn(await again)], [[2], [2]])
  })

  test('deletes what the claim of its key holds, and goes on to the next', async () => {
    await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const first = await repeatable([], 'limit=2')
    const [one, two] = finishedOf(first)
    assert.deepEqual(bodiesIn(await repeatable([one])), [2])
    const next = await repeatable([two])
    assert.deepEqual(bodiesIn(next), [3])
    assert.notEqual(next.headers['location'], first.headers['location'])
  })

  test('does nothing at all when a message is held otherwise', async () => {
    await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const [other] = await claim(1)
    const [mine] = finishedOf(await repeatable([]))
    const wrong = { id: other?.id, claim_id: mine?.claim_id }
    assertError(await repeatable([mine, wrong]), 403, 'Unable to delete', other?.id as string)
    assert.deepEqual(await kept(), [1, 2, 3])
    assert.deepEqual(finishedOf(await repeatable([])), [mine])
  })
})

describe('a claim without delete', () => {
  test('answers as ever', async () => {
    assertNoContent(await given.client.post(CLAIMS))
    await given.post('jobs', { body: 1 })
    assert.deepEqual(Object.keys(json(await given.client.post(CLAIMS))), ['messages'])
  })
})

describe('who may claim with delete', () => {
  test('must be allowed to delete messages, too', async (t) => {
    const service = await openInProcess(
      { OS_OSLO_POLICY__POLICY_FILE: POLICY_FILE },
      {},
      { files: policyFile('messages:delete: "role:cleaner"') },
    )
    t.after(service.close)
    await service.client.post(MESSAGES, { messages: [{ body: 1 }, { body: 2 }] })
    const finished = finishedOf(await service.client.post(`${CLAIMS}?limit=1`))
    assertError(await service.client.post(CLAIMS, { delete: finished }), 403, 'Not authorized')
    assert.equal(json(await service.client.get('/v2/queues/jobs/stats')).messages.claimed, 1)
    assert.equal((await service.client.post(CLAIMS, { delete: [] })).status, 201)
    const cleaner = service.client.with({ 'X-Roles': 'cleaner' })
    assert.equal((await cleaner.post(CLAIMS, { delete: finished })).status, 200)
  })

  test('by a signed URL needs DELETE at messages in it, too', async () => {
    await given.post('jobs', { body: 1 }, { body: 2 })
    const finished = await claim(1)
    const guest = async (methods: readonly string[], paths: readonly string[]) =>
      given.client.with(headersOf(json(await given.client.post('/v2/queues/jobs/share', { methods, paths }))))
    for (const [methods, paths] of [
      [['POST'], ['claims', 'messages']],
      [['POST', 'DELETE'], ['claims']],
    ] as const) {
      const answer = await (await guest(methods, paths)).post(CLAIMS, { delete: finished })
      assert.deepEqual([answer.status, answer.text], [404, '{"title": "404 Not Found"}'])
    }
    assert.deepEqual(await kept(), [1, 2])
    const able = await guest(['POST', 'DELETE'], ['claims', 'messages'])
    assert.deepEqual(bodiesIn(await able.post(CLAIMS, { delete: finished })), [2])
  })

  test('leaves a line in the audit log that names both permissions', async (t) => {
    const lines: string[] = []
    const service = await openInProcess({}, { audit: (line) => void lines.push(line) })
    t.after(service.close)
    await service.client.post(CLAIMS, { delete: [{ id: 'x', claim_id: 'y' }] })
    await service.client.post(CLAIMS)
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)).map(({ operation, permission, also }) => [operation, permission, also]),
      [
        ['claims.create', 'claims:create', ['messages:delete']],
        ['claims.create', 'claims:create', undefined],
      ],
    )
  })
})

const POLICY_FILE = '/etc/zaqar/policy.yaml'

function policyFile(content: string) {
  return {
    readFile: (path: string) => (path === POLICY_FILE ? content : null),
    listFolder: () => null,
    stamp: (path: string) => (path === POLICY_FILE ? content : null),
  }
}

/** What the holder of a shared URL sends. */
function headersOf(
  shared: Record<'project' | 'expires' | 'signature', string> & Record<'methods' | 'paths', string[]>,
) {
  return {
    'X-Project-Id': shared.project,
    'URL-Methods': shared.methods.join(','),
    'URL-Paths': shared.paths.join(','),
    'URL-Expires': shared.expires,
    'URL-Signature': shared.signature,
  }
}
