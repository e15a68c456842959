import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { bodiesOf, type Claim, refusal, type Terms } from './actions.ts'
import { type Scene, throughEachDoor } from './each-door.ts'

/** Claims what has to be there. */
async function claim({ me }: Scene, terms?: Terms): Promise<Claim> {
  return (await me.claim('jobs', terms)) ?? assert.fail('there is nothing to claim')
}

throughEachDoor('claiming', (scene) => {
  test('finds nothing in an empty queue and a missing one, which it does not create', async () => {
    assert.equal(await scene.me.claim('jobs'), null)
    assert.deepEqual(await scene.me.listQueues(), [])
    await scene.me.createQueue('jobs')
    assert.equal(await scene.me.claim('jobs'), null)
  })

  test('takes the oldest free messages, ten where no number is asked for, own ones too', async () => {
    await scene.me.createQueue('jobs')
    await scene.me.post('jobs', ...Array.from({ length: 25 }, (_, body) => ({ body })))
    assert.deepEqual(bodiesOf(await claim(scene, { limit: 2 })), [0, 1])
    assert.deepEqual(bodiesOf(await claim(scene)), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    assert.deepEqual(bodiesOf(await claim(scene, { limit: 20 })), [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24])
  })

  for (const terms of [
    { ttl: 60, grace: 60 },
    { ttl: 43_200, grace: 43_200 },
  ]) {
    test(`takes ${JSON.stringify(terms)}`, async () => {
      await scene.me.createQueue('jobs')
      await scene.me.post('jobs', { body: 1 })
      await claim(scene, terms)
    })
  }

  for (const terms of [
    { ttl: 59 },
    { ttl: 43_201 },
    { ttl: -1 },
    { grace: 59 },
    { grace: 43_201 },
    { limit: 0 },
    { limit: 21 },
    { limit: -5 },
  ]) {
    test(`does not take ${JSON.stringify(terms)}`, async () => {
      await scene.me.createQueue('jobs')
      await scene.me.post('jobs', { body: 1 })
      await assert.rejects(scene.me.claim('jobs', terms), refusal(400, 'Invalid API request'))
      assert.deepEqual(bodiesOf(await claim(scene)), [1])
    })
  }

  test('never gives a message to two live claims', async () => {
    await scene.me.createQueue('jobs')
    await scene.me.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const [one, two] = await Promise.all([scene.me.claim('jobs', { limit: 2 }), scene.me.claim('jobs', { limit: 2 })])
    assert.deepEqual([...bodiesOf(one), ...bodiesOf(two)], [1, 2, 3])
    assert.equal(await scene.me.claim('jobs'), null)
  })
})

throughEachDoor('a claim', (scene) => {
  beforeEach(() => scene.me.createQueue('jobs'))

  test('is shown with its age, ttl and messages in their order, to any client of the project', async () => {
    const ids = await scene.me.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const { id } = await claim(scene, { ttl: 100 })
    scene.service.pass(12)
    assert.deepEqual(await scene.other.showClaim('jobs', id), {
      id,
      age: 12,
      ttl: 100,
      messages: ids.map((message, i) => ({ id: message, body: i + 1, ttl: 3600, age: 12, claimId: id })),
    })
  })

  test('ends at the very instant of its ttl, and its messages are free', async () => {
    await scene.me.post('jobs', { body: 1 })
    const { id } = await claim(scene, { ttl: 300 })
    scene.service.pass(299.999)
    assert.equal(await scene.me.claim('jobs'), null)
    assert.equal((await scene.me.showClaim('jobs', id))?.ttl, 300)
    scene.service.pass(0.001)
    assert.equal(await scene.me.showClaim('jobs', id), null)
    assert.deepEqual(bodiesOf(await claim(scene)), [1])
  })

  test('is gone with its last message', async () => {
    const [message = ''] = await scene.me.post('jobs', { body: 1 })
    const { id } = await claim(scene)
    await scene.me.delete('jobs', message, id)
    assert.equal(await scene.me.showClaim('jobs', id), null)
  })

  test('that is unknown is not found, and released without a word', async () => {
    for (const id of ['nonsense', '0'.repeat(32), 'x'.repeat(5000), '-1']) {
      for (const queue of ['jobs', 'missing']) {
        assert.equal(await scene.me.showClaim(queue, id), null)
        assert.equal(await scene.me.renew(queue, id, { ttl: 60 }), false)
        await scene.me.release(queue, id)
      }
    }
  })

  test('that is a message is none', async () => {
    const [id = ''] = await scene.me.post('jobs', { body: 1 })
    await claim(scene)
    assert.equal(await scene.me.showClaim('jobs', id), null)
  })

  test('that is released leaves its messages at their old places, and is not found', async () => {
    await scene.me.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
    const { id } = await claim(scene, { limit: 2 })
    await scene.me.release('jobs', id)
    await scene.me.release('jobs', id)
    assert.equal(await scene.me.showClaim('jobs', id), null)
    assert.equal(await scene.me.renew('jobs', id, { ttl: 60 }), false)
    assert.deepEqual(bodiesOf(await claim(scene)), [1, 2, 3])
  })

  test('lives its ttl from its renewal on', async () => {
    await scene.me.post('jobs', { body: 1 })
    const { id } = await claim(scene, { ttl: 60 })
    scene.service.pass(59)
    assert.ok(await scene.me.renew('jobs', id, { ttl: 100, grace: 60 }))
    const { age, ttl } = (await scene.me.showClaim('jobs', id)) ?? {}
    assert.deepEqual([age, ttl], [0, 100])
    scene.service.pass(99.999)
    assert.notEqual(await scene.me.showClaim('jobs', id), null)
    scene.service.pass(0.001)
    assert.equal(await scene.me.showClaim('jobs', id), null)
  })

  test('is renewed with a grace from 0 on', async () => {
    await scene.me.post('jobs', { body: 1 })
    const { id } = await claim(scene)
    for (const grace of [0, 59, 43_200]) assert.ok(await scene.me.renew('jobs', id, { ttl: 60, grace }))
  })

  for (const terms of [{ ttl: 59 }, { ttl: 43_201 }, { ttl: 60, grace: 43_201 }, { ttl: 60, grace: -1 }]) {
    test(`is not renewed with ${JSON.stringify(terms)}, an unknown one neither`, async () => {
      await scene.me.post('jobs', { body: 1 })
      for (const id of [(await claim(scene)).id, 'x']) {
        await assert.rejects(scene.me.renew('jobs', id, terms), refusal(400, 'Invalid API request'))
      }
    })
  }

  test('cannot be renewed when it has ended or its queue is gone', async () => {
    await scene.me.post('jobs', { body: 1 }, { body: 2 })
    const expired = await claim(scene, { limit: 1 })
    scene.service.pass(60)
    assert.equal(await scene.me.renew('jobs', expired.id, { ttl: 60 }), false)
    const deleted = await claim(scene, { limit: 1 })
    await scene.me.deleteQueue('jobs')
    assert.equal(await scene.me.renew('jobs', deleted.id, { ttl: 60 }), false)
  })
})

throughEachDoor('the life of a claimed message', (scene) => {
  beforeEach(() => scene.me.createQueue('jobs'))
  const ttlOf = async (id: string) => (await scene.me.get('jobs', id))?.ttl ?? null

  test('is claim ttl and grace from now where it would end before the claim, and stays so after a release', async () => {
    const [id = ''] = await scene.me.post('jobs', { body: 1, ttl: 60 })
    scene.service.pass(10)
    const claimed = await claim(scene, { ttl: 100, grace: 70 })
    assert.deepEqual(
      claimed.messages.map(({ ttl, age }) => [ttl, age]),
      [[170, 10]],
    )
    await scene.me.release('jobs', claimed.id)
    scene.service.pass(169.999)
    assert.equal(await ttlOf(id), 170)
    scene.service.pass(0.001)
    assert.equal(await ttlOf(id), null)
  })

  test('is left alone where it ends with the claim or later', async () => {
    const [id = ''] = await scene.me.post('jobs', { body: 1, ttl: 100 })
    await claim(scene, { ttl: 100, grace: 60 })
    assert.equal(await ttlOf(id), 100)
  })

  test('is prolonged by a renewal too', async () => {
    const [message = ''] = await scene.me.post('jobs', { body: 1, ttl: 100 })
    const { id } = await claim(scene, { ttl: 60, grace: 60 })
    scene.service.pass(50)
    assert.ok(await scene.me.renew('jobs', id, { ttl: 90, grace: 30 }))
    assert.equal(await ttlOf(message), 120)
    scene.service.pass(89.999)
    assert.notEqual(await scene.me.showClaim('jobs', id), null)
    scene.service.pass(30)
    assert.equal(await ttlOf(message), 120)
    scene.service.pass(0.001)
    assert.equal(await ttlOf(message), null)
  })
})

throughEachDoor(
  'the limits of claims',
  (scene) => {
    test('follow the configuration', async () => {
      await scene.me.createQueue('jobs')
      await scene.me.post('jobs', ...Array.from({ length: 8 }, (_, body) => ({ body })))
      const { id } = await claim(scene, { limit: 5 })
      const refused = (bound: string) => refusal(400, 'Invalid API request', bound)
      await assert.rejects(scene.me.claim('jobs', { limit: 6 }), refused('5'))
      if (scene.me.pop !== null) await assert.rejects(scene.me.pop('jobs', 6), refused('5'))
      await assert.rejects(scene.me.claim('jobs', { ttl: 101 }), refused('100'))
      await assert.rejects(scene.me.claim('jobs', { grace: 81 }), refused('80'))
      await assert.rejects(scene.me.renew('jobs', id, { ttl: 101 }), refused('100'))
      await assert.rejects(scene.me.renew('jobs', id, { ttl: 60, grace: 81 }), refused('80'))
      assert.deepEqual(bodiesOf(await claim(scene, { limit: 5 })), [5, 6, 7])
    })
  },
  {
    env: {
      OS_TRANSPORT__MAX_CLAIM_TTL: '100',
      OS_TRANSPORT__MAX_CLAIM_GRACE: '80',
      OS_TRANSPORT__MAX_MESSAGES_PER_CLAIM_OR_POP: '5',
    },
  },
)
