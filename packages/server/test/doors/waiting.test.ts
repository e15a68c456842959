import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { settled, waits } from '../support/settled.ts'
import { bodiesOf, refusal } from './actions.ts'
import { throughEachDoor } from './each-door.ts'

throughEachDoor('waiting', (scene) => {
  beforeEach(() => scene.me.createQueue('jobs'))

  test('a claim takes a message as soon as it is there', async () => {
    const claim = scene.me.claim('jobs', { wait: 20 })
    assert.ok(await waits(claim))
    await scene.me.post('jobs', { body: 1 })
    assert.deepEqual(bodiesOf(await claim), [1])
  })

  test('a listing shows a message as soon as it is there, and does not wait behind its link', async () => {
    const list = scene.me.list('jobs', { echo: true, wait: 20 })
    assert.ok(await waits(list))
    await scene.me.post('jobs', { body: 1 })
    const page = await list
    assert.deepEqual(bodiesOf(page), [1])
    assert.ok(!page.next?.includes('wait'))
    assert.deepEqual(bodiesOf(await scene.me.follow(page)), [])
  })

  test('a listing goes on past what it does not show', async () => {
    const list = scene.me.list('jobs', { wait: 20 })
    await scene.me.post('jobs', { body: 'my own' })
    assert.ok(await waits(list))
    await scene.other.post('jobs', { body: 2 })
    assert.deepEqual(bodiesOf(await list), [2])
  })

  test('does not happen where something is there', async () => {
    await scene.me.post('jobs', { body: 1 })
    assert.deepEqual(bodiesOf(await scene.me.list('jobs', { echo: true, wait: 20 })), [1])
    assert.deepEqual(bodiesOf(await scene.me.claim('jobs', { wait: 20 })), [1])
  })

  test('ends with its time, and with what an empty queue answers', async () => {
    const claim = scene.me.claim('jobs', { wait: 3 })
    const list = scene.me.list('jobs', { echo: true, wait: 3 })
    assert.ok(await waits(claim))
    scene.service.pass(2)
    assert.ok(await waits(claim))
    assert.ok(await waits(list))
    scene.service.pass(1)
    assert.equal(await claim, null)
    assert.deepEqual(bodiesOf(await list), [])
  })

  test('ends with a delay', async () => {
    await scene.service.client.patch('/v2/queues/jobs', [
      { op: 'add', path: '/metadata/_default_message_delay', value: 5 },
    ])
    await scene.service.post('jobs', { body: 1 })
    const claim = scene.me.claim('jobs', { wait: 20 })
    assert.ok(await waits(claim))
    scene.service.pass(5)
    assert.deepEqual(bodiesOf(await claim), [1])
  })

  test('ends with a claim that ends, by time or by hand', async () => {
    await scene.me.post('jobs', { body: 1 })
    const first = await scene.me.claim('jobs', { ttl: 60 })
    scene.service.pass(50)
    const byTime = scene.me.claim('jobs', { wait: 20 })
    assert.ok(await waits(byTime))
    scene.service.pass(10)
    const second = await byTime
    assert.deepEqual(bodiesOf(second), [1])
    assert.notEqual(second?.id, first?.id)
    const byHand = scene.me.claim('jobs', { wait: 20 })
    assert.ok(await waits(byHand))
    await scene.me.release('jobs', second?.id ?? '')
    assert.deepEqual(bodiesOf(await byHand), [1])
  })

  test('of many that wait to claim, as many are served as there are messages', async () => {
    const claims = Array.from({ length: 50 }, () => scene.me.claim('jobs', { wait: 10, limit: 1 }))
    await settled()
    await scene.me.post('jobs', ...Array.from({ length: 20 }, (_, body) => ({ body })))
    await settled()
    scene.service.pass(10)
    const served = (await Promise.all(claims)).filter((claim) => claim !== null)
    assert.equal(served.length, 20)
    assert.deepEqual(new Set(served.flatMap(bodiesOf)), new Set(Array.from({ length: 20 }, (_, body) => body)))
  })

  for (const wait of [-1, 21]) {
    test(`is not for ${wait} seconds`, async () => {
      await assert.rejects(scene.me.claim('jobs', { wait }), refusal(400, 'Invalid API request', '20'))
      await assert.rejects(scene.me.list('jobs', { wait }), refusal(400, 'Invalid API request', '20'))
    })
  }
})
