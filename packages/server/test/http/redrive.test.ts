import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'
import { settled, waits } from '../support/settled.ts'

const given = freshService()

async function bodies(queue: string): Promise<unknown[]> {
  const { messages } = json(await given.client.get(`/v2/queues/${queue}/messages?echo=true&limit=20`))
  return messages.map((message: { body: unknown }) => message.body)
}

/** Posts messages to `jobs` and lets each go to `dead` by being claimed once too often. Answers their ids. */
async function bury(...texts: readonly unknown[]): Promise<string[]> {
  await given.client.put('/v2/queues/dead')
  await given.client.put('/v2/queues/jobs', { _dead_letter_queue: 'dead', _max_claim_count: 1 })
  const ids = await given.post('jobs', ...texts.map((body) => ({ body })))
  const { headers } = await given.client.post('/v2/queues/jobs/claims?limit=20')
  await given.client.delete(headers['location'] as string)
  assert.equal((await given.client.post('/v2/queues/jobs/claims?limit=20')).status, 204)
  assert.deepEqual(await bodies('dead'), texts)
  return ids
}

describe('redrive', () => {
  test('moves all dead letters back in order and reports them', async () => {
    const ids = await bury(1, 2, 3)
    const answer = await given.client.post('/v2/queues/dead/redrive')
    assert.equal(answer.status, 200)
    assert.deepEqual(json(answer), {
      moved: ids.map((id) => ({ id, queue: 'jobs', href: `/v2/queues/jobs/messages/${id}` })),
      done: true,
    })
    assert.deepEqual(await bodies('dead'), [])
    assert.deepEqual(await bodies('jobs'), [1, 2, 3])
    assert.equal((await given.client.post('/v2/queues/jobs/claims')).status, 201)
  })

  test('moves those that are named, and leaves what never moved', async () => {
    const [first, , third] = await bury(1, 2, 3)
    const [own] = await given.post('dead', { body: 'posted here' })
    const { moved } = json(await given.client.post('/v2/queues/dead/redrive', { ids: [third, first, own, 'nonsense'] }))
    assert.deepEqual(
      moved.map(({ id }: { id: string }) => id),
      [third, first],
    )
    assert.deepEqual(await bodies('dead'), [2, 'posted here'])
    assert.deepEqual(await bodies('jobs'), [3, 1])
  })

  test('keeps to its rate', async () => {
    await bury(...Array.from({ length: 10 }, (_, i) => i))
    const answer = given.client.post('/v2/queues/dead/redrive', { rate: 4 })
    for (let second = 0; second < 3; second++) {
      await settled()
      assert.equal((await bodies('jobs')).length, Math.min(10, 4 * (second + 1)))
      given.pass(1)
    }
    const { moved, done } = json(await answer)
    assert.equal(moved.length, 10)
    assert.equal(done, true)
  })

  test('keeps to its rate where messages are named, too', async () => {
    const ids = await bury(0, 1, 2, 3, 4)
    const answer = given.client.post('/v2/queues/dead/redrive', { ids: ['nonsense', ...ids], rate: 2 })
    for (const moved of [1, 3, 5]) {
      await settled()
      assert.equal((await bodies('jobs')).length, moved)
      given.pass(1)
    }
    const { moved, done } = json(await answer)
    assert.deepEqual(
      moved.map(({ id }: { id: string }) => id),
      ids,
    )
    assert.equal(done, true)
  })

  test('moves no more than it is told to, and says whether more is left', async () => {
    await bury(...Array.from({ length: 5 }, (_, i) => i))
    const answer = async (terms: object) => {
      const { moved, done } = json(await given.client.post('/v2/queues/dead/redrive', terms))
      return [moved.length, done]
    }
    assert.deepEqual(await answer({ limit: 2 }), [2, false])
    assert.deepEqual(await bodies('jobs'), [0, 1])
    assert.deepEqual(await answer({ limit: 3 }), [3, false])
    assert.deepEqual(await answer({ limit: 3 }), [0, true])
  })

  test('ends when the service stops, and says that more is left', async () => {
    await bury(1, 2, 3)
    const answer = given.client.post('/v2/queues/dead/redrive', { rate: 1 })
    assert.ok(await waits(answer))
    await given.stop()
    const { moved, done } = json(await answer)
    assert.equal(moved.length, 1)
    assert.equal(done, false)
  })

  test('of a queue that does not exist, or holds no dead letters, moves nothing', async () => {
    assert.deepEqual(json(await given.client.post('/v2/queues/nowhere/redrive')), { moved: [], done: true })
    await given.post('jobs', { body: 1 })
    assert.deepEqual(json(await given.client.post('/v2/queues/jobs/redrive', {})), { moved: [], done: true })
  })

  test('takes no nonsense', async () => {
    const redrive = (body: unknown) => given.client.post('/v2/queues/dead/redrive', body)
    assertError(await redrive({ limit: 0 }), 400, 'Invalid API request', 'at least 1')
    for (const rate of [0, 10_001]) assertError(await redrive({ rate }), 400, 'Invalid API request', '10000')
    assertError(await redrive({ rate: 'fast' }), 400, 'Invalid request body', 'rate')
    assertError(await redrive({ ids: 'a' }), 400, 'Invalid request body', 'ids')
    assertError(await redrive({ ids: [1] }), 400, 'Invalid request body', 'ids')
    assertError(await redrive({ ids: [] }), 400, 'Invalid API request', '20')
  })
})
