import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { assertNoContent } from '../support/answers.ts'
import { bodiesOf } from './actions.ts'
import { throughEachDoor } from './each-door.ts'

const EMPTY = { claimed: 0, free: 0, total: 0, oldest: null, newest: null }
const ALL = { echo: true, includeClaimed: true }

throughEachDoor('projects', (scene) => {
  test('do not see or change each other, not even by ids', async () => {
    const { me, stranger } = scene
    await me.createQueue('jobs')
    const [id = ''] = await me.post('jobs', { body: 'secret' }, { body: 2 })
    const claimId = (await me.claim('jobs', { limit: 1 }))?.id ?? ''
    assert.deepEqual(await stranger.listQueues(), [])
    assert.equal(await stranger.createQueue('jobs'), 'created')
    assert.deepEqual(bodiesOf(await stranger.list('jobs', ALL)), [])
    assert.equal(await stranger.get('jobs', id), null)
    assert.deepEqual(await stranger.getAll('jobs', [id]), [])
    assert.equal(await stranger.showClaim('jobs', claimId), null)
    assert.equal(await stranger.renew('jobs', claimId, { ttl: 60 }), false)
    assert.equal(await stranger.claim('jobs'), null)
    assert.deepEqual(await stranger.stats('jobs'), EMPTY)
    await stranger.delete('jobs', id)
    await stranger.delete('jobs', id, claimId)
    await stranger.deleteAll('jobs', [id])
    await stranger.release('jobs', claimId)
    await stranger.pop?.('jobs', 10)
    const elsewhere = scene.service.client.with({ 'X-Project-Id': 'p2' })
    assertNoContent(await elsewhere.post('/v2/queues/jobs/purge'))
    await stranger.deleteQueue('jobs')
    assert.deepEqual(bodiesOf(await me.list('jobs', ALL)), ['secret', 2])
    assert.deepEqual(bodiesOf(await me.showClaim('jobs', claimId)), ['secret'])
  })
})

throughEachDoor('queues', (scene) => {
  beforeEach(async () => {
    for (const queue of ['one', 'two']) await scene.me.createQueue(queue)
  })

  test('have no use for the ids and markers of each other', async () => {
    const { me } = scene
    const [id = ''] = await me.post('one', { body: 1 })
    const claimId = (await me.claim('one'))?.id ?? ''
    await me.post('two', { body: 2 }, { body: 3 })
    assert.equal(await me.get('two', id), null)
    assert.equal(await me.showClaim('two', claimId), null)
    assert.equal(await me.renew('two', claimId, { ttl: 60 }), false)
    await me.delete('two', id, claimId)
    await me.deleteAll('two', [id])
    await me.release('two', claimId)
    assert.deepEqual(bodiesOf(await me.showClaim('one', claimId)), [1])
    const { next, messages } = await me.list('one', ALL)
    assert.equal(messages.length, 1)
    const elsewhere = (next ?? '').replace('/one/', '/two/')
    assert.deepEqual(bodiesOf(await me.follow({ messages: [], next: elsewhere })), [2, 3])
  })
})
