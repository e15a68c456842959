import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { json } from '../support/answers.ts'
import { bodiesOf } from './actions.ts'
import { type Scene, throughEachDoor } from './each-door.ts'
import { V1, V1_1 } from './http-doors.ts'

const EMPTY = { claimed: 0, free: 0, total: 0, oldest: null, newest: null }

throughEachDoor('a message', (scene) => {
  beforeEach(() => scene.me.createQueue('jobs'))

  test('is gone at the very instant of its ttl, everywhere', async () => {
    const [id = ''] = await scene.me.post('jobs', { body: 1, ttl: 60 })
    scene.service.pass(59.999)
    assert.deepEqual(await scene.me.get('jobs', id), { id, body: 1, ttl: 60, age: 59, claimId: null })
    assert.equal((await scene.me.list('jobs', { echo: true })).messages[0]?.age, 59)
    scene.service.pass(0.001)
    assert.equal(await scene.me.get('jobs', id), null)
    assert.deepEqual(await scene.me.getAll('jobs', [id]), [])
    assert.deepEqual(bodiesOf(await scene.me.list('jobs', { echo: true, includeClaimed: true })), [])
    assert.deepEqual(await scene.me.stats('jobs'), EMPTY)
    assert.equal(await scene.me.claim('jobs'), null)
    if (scene.me.pop !== null) assert.deepEqual(await scene.me.pop('jobs', 1), [])
    await scene.me.delete('jobs', id, 'x')
  })

  test('that waits for its delay is hidden until the very instant that it is due', async () => {
    await scene.service.client.patch('/v2/queues/jobs', [
      { op: 'add', path: '/metadata/_default_message_delay', value: 10 },
    ])
    const [late = ''] = await scene.service.post('jobs', { body: 'late' }, { body: 'now', delay: 0 })
    const page = await scene.me.list('jobs', { echo: true })
    assert.deepEqual(bodiesOf(page), ['now'])
    assert.equal((await scene.me.get('jobs', late))?.body, 'late')
    scene.service.pass(9.999)
    assert.deepEqual(bodiesOf(await scene.me.follow(page)), [])
    assert.deepEqual(bodiesOf(await scene.me.claim('jobs')), ['now'])
    scene.service.pass(0.001)
    assert.deepEqual(bodiesOf(await scene.me.follow(page)), ['late'])
    assert.deepEqual(bodiesOf(await scene.me.claim('jobs')), ['late'])
  })
})

throughEachDoor('the stats of a queue', (scene) => {
  beforeEach(() => scene.me.createQueue('jobs'))

  test('count free and claimed messages and name the newest and the oldest', async () => {
    assert.deepEqual(await scene.me.stats('jobs'), EMPTY)
    const [oldest] = await scene.me.post('jobs', { body: 1 })
    scene.service.pass(9)
    const [, newest] = await scene.me.post('jobs', { body: 2 }, { body: 3 })
    await scene.me.claim('jobs', { limit: 2 })
    assert.deepEqual(await scene.me.stats('jobs'), { claimed: 2, free: 1, total: 3, oldest, newest })
  })

  test('are exact the moment a claim or a message ends', async () => {
    await scene.me.post('jobs', { body: 1, ttl: 400 }, { body: 2, ttl: 500 })
    await scene.me.claim('jobs', { limit: 1 })
    const counts = async () => {
      const { claimed, free, total } = await scene.me.stats('jobs')
      return [claimed, free, total]
    }
    assert.deepEqual(await counts(), [1, 1, 2])
    scene.service.pass(60)
    assert.deepEqual(await counts(), [0, 2, 2])
    scene.service.pass(340)
    assert.deepEqual(await counts(), [0, 1, 1])
    scene.service.pass(100)
    assert.deepEqual(await counts(), [0, 0, 0])
  })
})

async function ownerOf({ service }: Scene): Promise<unknown> {
  return json(await service.client.get('/v2/queues/jobs')).owner
}

throughEachDoor('a queue', (scene) => {
  test('is created once, and keeps the metadata that it was created with', async () => {
    assert.equal(await scene.me.createQueue('jobs', { owner: 'batch' }), 'created')
    assert.equal(await scene.me.createQueue('jobs', { owner: 'ops' }), 'there already')
    assert.deepEqual(await scene.me.listQueues(), ['jobs'])
    assert.equal(await ownerOf(scene), 'batch')
  })

  test('is deleted whether it is there or not', async () => {
    await scene.me.deleteQueue('jobs')
    await scene.me.createQueue('jobs')
    await scene.me.deleteQueue('jobs')
    assert.deepEqual(await scene.me.listQueues(), [])
  })

  test('takes messages, claims and metadata along, for a later queue of that name too', async () => {
    await scene.me.createQueue('jobs', { owner: 'batch' })
    const [id = ''] = await scene.me.post('jobs', { body: 1 }, { body: 2 })
    const claim = await scene.me.claim('jobs', { limit: 1 })
    await scene.me.deleteQueue('jobs')
    assert.equal(await scene.me.createQueue('jobs'), 'created')
    assert.equal(await ownerOf(scene), undefined)
    assert.equal(await scene.me.get('jobs', id), null)
    assert.equal(await scene.me.showClaim('jobs', claim?.id ?? ''), null)
    assert.equal(await scene.me.renew('jobs', claim?.id ?? '', { ttl: 60 }), false)
    assert.deepEqual(await scene.me.stats('jobs'), EMPTY)
    assert.equal(await scene.me.claim('jobs'), null)
  })

  test('is listed in the order of code points', async () => {
    for (const name of ['q2', 'q10', 'q1', 'Q', '_', '-']) await scene.me.createQueue(name)
    assert.deepEqual(await scene.me.listQueues(), ['-', 'Q', '_', 'q1', 'q10', 'q2'])
  })
})

throughEachDoor(
  'posting, where v2 heeds what the queue says',
  (scene) => {
    test('heeds none of it: size, ttl, delay', async () => {
      const settings = { _max_messages_post_size: 10, _default_message_ttl: 70, _default_message_delay: 30 }
      assert.equal((await scene.service.client.put('/v2/queues/jobs', settings)).status, 201)
      const [id] = await scene.me.post('jobs', { body: 'now', ttl: 300 }, { body: 'also now' })
      const { messages } = await scene.me.list('jobs', { echo: true })
      assert.deepEqual(
        messages.map(({ body, ttl }) => [body, ttl]),
        [
          ['now', 300],
          ['also now', 3600],
        ],
      )
      assert.equal(messages[0]?.id, id)
    })

    test('hides what is still delayed also after the queue stopped delaying', async () => {
      await scene.service.client.put('/v2/queues/jobs', { _default_message_delay: 30 })
      await scene.service.post('jobs', { body: 'later' }, { body: 'now', delay: 0 })
      assert.deepEqual(bodiesOf(await scene.other.list('jobs')), ['now'])
      await scene.service.client.patch('/v2/queues/jobs', [{ op: 'remove', path: '/metadata/_default_message_delay' }])
      assert.deepEqual(bodiesOf(await scene.other.list('jobs')), ['now'])
      scene.service.pass(30)
      assert.deepEqual(bodiesOf(await scene.other.list('jobs')), ['now', 'later'])
    })
  },
  { doors: [V1, V1_1] },
)
