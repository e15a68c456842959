import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const given = freshService()

/** Sums of a queue's rates over all steps, after the present one is over. */
async function rates(queue = 'jobs', collection = 'queues'): Promise<Record<string, number>> {
  given.clock.advance(5_000)
  const { messages } = json(await given.client.get(`/v2/${collection}/${queue}/stats?detailed=true`))
  const { until, step, ...counts } = messages.rates as Record<string, number[]>
  assert.deepEqual([typeof until, step], ['string', 5])
  return Object.fromEntries(Object.entries(counts).map(([what, all]) => [what, all.reduce((sum, n) => sum + n, 0)]))
}

async function claim(limit: number): Promise<{ claimId: string; ids: string[] }> {
  const { messages } = json(await given.client.post(`/v2/queues/jobs/claims?limit=${limit}`, { ttl: 60, grace: 60 }))
  const claimId = new URL(messages[0].href, 'http://service').searchParams.get('claim_id') as string
  return { claimId, ids: messages.map(({ id }: { id: string }) => id) }
}

describe('rates', () => {
  test('count what was posted, claimed and deleted, in whatever way', async () => {
    const posted = await given.post('jobs', ...Array.from({ length: 10 }, (_, i) => ({ body: i })))
    const { claimId, ids } = await claim(2)
    await given.client.delete(`/v2/queues/jobs/messages/${ids[0]}?claim_id=${claimId}`)
    await given.client.delete(`/v2/queues/jobs/messages/${ids[0]}`)
    await given.client.delete('/v2/queues/jobs/messages?pop=2')
    await given.client.delete(`/v2/queues/jobs/messages?ids=${posted[8]},${posted[9]},nothing`)
    const finished = [ids[1], ids[0]].map((id) => ({ id, claim_id: claimId }))
    await given.client.post('/v2/queues/jobs/claims?limit=1', { ttl: 60, grace: 60, delete: finished })
    assert.deepEqual(await rates(), { posted: 10, claimed: 3, deleted: 6, delivered: 0 })
    assert.deepEqual(await rates('other'), { posted: 0, claimed: 0, deleted: 0, delivered: 0 })
  })

  test('of topics are theirs', async () => {
    await given.client.put('/v2/topics/jobs')
    await given.client.post('/v2/topics/jobs/messages', { messages: [{ body: 1 }] })
    assert.equal((await rates('jobs', 'topics'))['posted'], 1)
    assert.equal((await rates('jobs'))['posted'], 0)
  })

  test('and delayed messages are shown to who asks for details, in v2', async () => {
    await given.client.put('/v2/queues/jobs', { _default_message_delay: 60 })
    await given.post('jobs', { body: 1 }, { body: 2, delay: 0 })
    const plain = { claimed: 0, free: 2, total: 2 }
    const {
      newest,
      oldest,
      rates: _,
      ...detailed
    } = json(await given.client.get('/v2/queues/jobs/stats?detailed=true')).messages
    assert.ok(newest && oldest)
    assert.deepEqual(detailed, { ...plain, delayed: 1 })
    for (const path of [
      '/v2/queues/jobs/stats',
      '/v2/queues/jobs/stats?detailed=false',
      '/v1.1/queues/jobs/stats?detailed=true',
    ]) {
      const { newest, oldest, ...shown } = json(await given.client.get(path)).messages
      assert.deepEqual(shown, plain, path)
    }
  })
})
