import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, assertNoContent, json } from '../support/answers.ts'
import { type FreshService, freshService } from '../support/fresh-service.ts'

const MESSAGES = '/v2/queues/jobs/messages'
const ALL = `${MESSAGES}?echo=true&include_claimed=true&include_delayed=true&limit=20`

async function bodies(given: FreshService): Promise<unknown[]> {
  return json(await given.client.get(ALL)).messages.map((one: { body: unknown }) => one.body)
}

/** Claims and answers the id of the claim. */
async function claim(given: FreshService, limit = 1, ttl = 60): Promise<string> {
  const answer = await given.client.post(`/v2/queues/jobs/claims?limit=${limit}`, { ttl, grace: 60 })
  assert.equal(answer.status, 201)
  return answer.headers['location']?.split('/').at(-1) ?? ''
}

describe('deleting one message', () => {
  const given = freshService()
  const remove = (id: string | undefined, query = '') => given.client.delete(`${MESSAGES}/${id}${query}`)

  test('works by the href of a claimed message as it is', async () => {
    await given.post('jobs', { body: 1 })
    const { messages } = json(await given.client.post('/v2/queues/jobs/claims'))
    assertNoContent(await given.client.delete(messages[0].href))
    assert.deepEqual(await bodies(given), [])
  })

  test('works for a delayed one', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 10 })
    const [id] = await given.post('jobs', { body: 1 })
    assertNoContent(await remove(id))
    given.pass(10)
    assert.deepEqual(await bodies(given), [])
  })
})

describe('deleting messages by ids', () => {
  const given = freshService()
  const remove = (query: string) => given.client.delete(`${MESSAGES}?${query}`)

  test('answers 204, also for unknown ids and a missing queue', async () => {
    assertNoContent(await remove('ids=a,b'))
    const [a, b] = await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    assertNoContent(await remove(`ids=${a},nonsense&ids=${b},${b},`))
    assert.deepEqual(await bodies(given), [3])
  })

  test('asks for no claim', async () => {
    const [a, b] = await given.post('jobs', { body: 1 }, { body: 2 })
    await claim(given)
    assertNoContent(await remove(`ids=${a},${b}&claim_ids=nonsense`))
    assert.deepEqual(await bodies(given), [])
  })

  for (const query of [
    '',
    'ids=',
    'pop=',
    'pop=,',
    'pop=5,',
    'unknown=1',
    'ids=,',
    'ids=a&pop=1',
    'ids=,&pop=1',
    `ids=${'a,'.repeat(21)}`,
  ]) {
    test(`refuses ${query.slice(0, 20) || 'no parameter'}`, async () => {
      assertError(await remove(query), 400, 'Invalid API request')
    })
  }
})

describe('popping messages', () => {
  const given = freshService()
  const pop = (count: number | string) => given.client.delete(`${MESSAGES}?pop=${count}`)

  test('takes the oldest and shows them in a form of their own', async () => {
    const [first] = await given.post('jobs', { body: { task: 7 }, ttl: 300 }, { body: 2 }, { body: 3 })
    given.pass(4)
    const answer = await pop(1)
    assert.equal(answer.status, 200)
    assert.equal(
      answer.text,
      `{"messages": [{"id": "${first}", "age": 4, "ttl": 300, "body": {"task": 7}, "claim_id": null, "claim_count": 0}]}`,
    )
    assert.deepEqual(
      json(await pop(20)).messages.map((one: { body: unknown }) => one.body),
      [2, 3],
    )
    assert.deepEqual(await bodies(given), [])
  })

  test('gives an empty list when there is nothing, or no queue', async () => {
    assert.equal((await pop(1)).text, '{"messages": []}')
    await given.client.put('/v2/queues/jobs')
    assert.equal((await pop(1)).text, '{"messages": []}')
  })

  test('passes over claimed and delayed messages', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 10 })
    await given.post('jobs', { body: 'late' }, { body: 'claimed', delay: 0 }, { body: 'free', delay: 0 })
    await claim(given)
    assert.deepEqual(
      json(await pop(20)).messages.map((one: { body: unknown }) => one.body),
      ['free'],
    )
  })

  test('refuses a count of twenty digits', async () => {
    assertError(await pop('9'.repeat(20)), 400, 'Invalid API request', '1', '20')
  })

  for (const count of ['one', '1.0', '%00']) {
    test(`refuses ${count}, which is no integer`, async () => {
      assertError(await pop(count), 400, 'Invalid parameter', 'pop')
    })
  }
})

describe('deleting messages by ids where their claims have to be named', () => {
  const given = freshService({ OS_TRANSPORT__MESSAGE_DELETE_WITH_CLAIM_ID: 'true' })
  const remove = (query: string) => given.client.delete(`${MESSAGES}?${query}`)

  test('wants claim_ids beside ids, and not beside pop', async () => {
    for (const query of ['ids=a', 'ids=a&claim_ids=', 'ids=a&claim_ids=,', 'pop=1&claim_ids=a']) {
      assertError(await remove(query), 400, 'Invalid API request', 'ids', 'claim_ids', 'message_delete_with_claim_id')
    }
  })

  test('deletes what these claims hold, and passes over unknown ids', async () => {
    const [a, b] = await given.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const [first, second] = [await claim(given), await claim(given)]
    assertNoContent(await remove(`ids=${a},${b},nonsense&claim_ids=${first},${second},${second},other`))
    assert.deepEqual(await bodies(given), [3])
  })

  test('deletes nothing when one of them is held by no such claim', async () => {
    const [a, b] = await given.post('jobs', { body: 1 }, { body: 2 })
    const holder = await claim(given)
    assertError(await remove(`ids=${a},${b}&claim_ids=${holder}`), 403, 'Unable to delete')
    assertError(await remove(`ids=${a}&claim_ids=other`), 403, 'Unable to delete')
    assert.deepEqual(await bodies(given), [1, 2])
  })

  test('does not concern pop and the deletion of one', async () => {
    const [a] = await given.post('jobs', { body: 1 }, { body: 2 })
    assertNoContent(await given.client.delete(`${MESSAGES}/${a}`))
    assert.equal(json(await remove('pop=1')).messages.length, 1)
  })
})

describe('purging a queue', () => {
  const given = freshService()
  const PURGE = '/v2/queues/jobs/purge'

  for (const body of [
    undefined,
    '',
    { resource_types: ['messages'] },
    { resource_types: ['messages', 'subscriptions'] },
  ]) {
    test(`with ${JSON.stringify(body)} removes every message, claimed and delayed ones too`, async () => {
      await given.client.put('/v2/queues/jobs', { _default_message_delay: 10, owner: 'batch' })
      await given.post('jobs', { body: 1, delay: 0 }, { body: 2, delay: 0 }, { body: 3 })
      const held = await claim(given)
      assertNoContent(await given.client.post(PURGE, body))
      assert.deepEqual(await bodies(given), [])
      assert.equal(json(await given.client.get('/v2/queues/jobs/stats')).messages.total, 0)
      assert.equal((await given.client.get(`/v2/queues/jobs/claims/${held}`)).status, 404)
      assert.equal(json(await given.client.get('/v2/queues/jobs')).owner, 'batch')
      given.pass(60)
      assert.deepEqual(await bodies(given), [])
    })
  }

  for (const body of [{ resource_types: [] }, { resource_types: ['subscriptions'] }]) {
    test(`with ${JSON.stringify(body)} leaves the messages`, async () => {
      await given.post('jobs', { body: 1 })
      assertNoContent(await given.client.post(PURGE, body))
      assert.deepEqual(await bodies(given), [1])
    })
  }

  test('does not create a queue', async () => {
    assertNoContent(await given.client.post(PURGE))
    assert.deepEqual(json(await given.client.get('/v2/queues')).queues, [])
  })

  test('leaves a marker that goes on with what is posted later', async () => {
    await given.post('jobs', { body: 1 })
    const { href } = json(await given.client.get(`${MESSAGES}?echo=true`)).links[0]
    await given.client.post(PURGE)
    await given.post('jobs', { body: 2 })
    assert.deepEqual(
      json(await given.client.get(href)).messages.map((one: { body: unknown }) => one.body),
      [2],
    )
  })

  for (const body of [
    {},
    { resource_types: ['queues'] },
    { resource_types: ['messages', 'x'] },
    { resource_types: 5 },
  ]) {
    test(`does not take ${JSON.stringify(body)}`, async () => {
      assertError(await given.client.post(PURGE, body), 400, 'Invalid API request')
    })
  }

  for (const resources of ['messages', null, { messages: true }, [5], [null], [['messages']]]) {
    test(`does not take ${JSON.stringify(resources)} for resource types`, async () => {
      assert.equal((await given.client.post(PURGE, { resource_types: resources })).status, 400)
    })
  }

  for (const body of ['[]', '5', 'purge', '{']) {
    test(`does not take ${body}`, async () => {
      assertError(await given.client.post(PURGE, body), 400, 'Invalid request body')
    })
  }
})
