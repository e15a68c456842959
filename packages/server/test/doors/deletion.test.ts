import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { bodiesOf, refusal } from './actions.ts'
import { type Scene, throughEachDoor } from './each-door.ts'

async function bodies({ me }: Scene): Promise<unknown[]> {
  return bodiesOf(await me.list('jobs', { echo: true, includeClaimed: true, limit: 20 }))
}

/** Claims one message and answers the id of the claim. */
async function claim({ me }: Scene): Promise<string> {
  return (await me.claim('jobs', { limit: 1 }))?.id ?? assert.fail('there is nothing to claim')
}

throughEachDoor('deleting one message', (scene) => {
  beforeEach(() => scene.me.createQueue('jobs'))

  test('does no harm when there is no such message or queue', async () => {
    for (const queue of ['missing', 'jobs']) {
      await scene.me.delete(queue, 'x')
      await scene.me.delete(queue, 'x', 'y')
    }
    const [id = ''] = await scene.me.post('jobs', { body: 1 }, { body: 2 })
    await scene.me.delete('jobs', id)
    await scene.me.delete('jobs', id)
    await scene.me.delete('jobs', id, 'y')
    assert.equal(await scene.me.get('jobs', id), null)
    assert.deepEqual(await bodies(scene), [2])
  })

  test('with a claim is refused when the message is not claimed, whatever claim it is', async () => {
    const [, second = ''] = await scene.me.post('jobs', { body: 1 }, { body: 2 })
    const live = await claim(scene)
    for (const id of ['123', live, '%00', 'x'.repeat(3000), '0'.repeat(32)]) {
      await assert.rejects(scene.me.delete('jobs', second, id), refusal(400, 'Unable to delete', 'not', 'claimed'))
    }
    assert.deepEqual(await bodies(scene), [1, 2])
  })

  test('of a claimed one needs its claim', async () => {
    const [first = ''] = await scene.me.post('jobs', { body: 1 }, { body: 2 })
    const holder = await claim(scene)
    const other = await claim(scene)
    await assert.rejects(scene.me.delete('jobs', first), refusal(403, 'Unable to delete', 'claimed'))
    await assert.rejects(scene.me.delete('jobs', first, ''), refusal(403, 'Unable to delete'))
    await assert.rejects(scene.me.delete('jobs', first, other), refusal(403, 'Unable to delete'))
    await assert.rejects(scene.me.delete('jobs', first, '123'), refusal(400, 'Unable to delete', 'does not exist'))
    assert.deepEqual(await bodies(scene), [1, 2])
    await scene.me.delete('jobs', first, holder)
    assert.deepEqual(await bodies(scene), [2])
  })

  test('with a claim that has ended is refused', async () => {
    const [id = ''] = await scene.me.post('jobs', { body: 1 })
    const ended = await claim(scene)
    scene.service.pass(60)
    const notClaimed = refusal(400, 'Unable to delete', 'not', 'claimed')
    await assert.rejects(scene.me.delete('jobs', id, ended), notClaimed)
    const next = await claim(scene)
    await assert.rejects(scene.me.delete('jobs', id, ended), refusal(400, 'Unable to delete', 'expired'))
    await scene.me.release('jobs', next)
    await assert.rejects(scene.me.delete('jobs', id, next), notClaimed)
    await scene.me.delete('jobs', id)
    assert.deepEqual(await bodies(scene), [])
  })
})

throughEachDoor('deleting messages by ids', (scene) => {
  beforeEach(() => scene.me.createQueue('jobs'))

  test('passes over unknown ids, and does no harm in a missing queue', async () => {
    await scene.me.deleteAll('missing', ['a', 'b'])
    const [a = '', b = ''] = await scene.me.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    await scene.me.deleteAll('jobs', [a, 'nonsense', b, b])
    assert.deepEqual(await bodies(scene), [3])
  })

  test('asks for no claim', async () => {
    const ids = await scene.me.post('jobs', { body: 1 }, { body: 2 })
    await claim(scene)
    await scene.me.deleteAll('jobs', ids)
    assert.deepEqual(await bodies(scene), [])
  })
})

throughEachDoor('popping messages', (scene, door) => {
  const canPop = door.name !== 'v1'
  beforeEach(() => scene.me.createQueue('jobs'))

  test(canPop ? 'takes the oldest, and passes over claimed ones' : 'is not there', async () => {
    await scene.me.post('jobs', { body: 1 }, { body: 2 }, { body: 3 }, { body: 4 })
    await claim(scene)
    assert.equal(scene.me.pop !== null, canPop)
    if (scene.me.pop === null) return
    const pop = async (count: number) => (await scene.me.pop?.('jobs', count))?.map(({ body }) => body)
    assert.deepEqual(await pop(2), [2, 3])
    assert.deepEqual(await pop(20), [4])
    assert.deepEqual(await pop(1), [])
    assert.deepEqual(await scene.me.pop('missing', 1), [])
    assert.deepEqual(await bodies(scene), [1])
    for (const count of [0, -1, 21]) {
      await assert.rejects(scene.me.pop('jobs', count), refusal(400, 'Invalid API request', '1', '20'))
    }
  })
})
