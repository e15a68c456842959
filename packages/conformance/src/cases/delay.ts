import assert from 'node:assert/strict'
import type { It } from './case.ts'

export function delayCases(it: It): void {
  it('a delayed message becomes visible at its very instant', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { delaySeconds: 10 }, 'a')
    scene.passAlmost(10)
    assert.deepEqual(await scene.listed(queue), [])
    assert.deepEqual(await scene.pop(queue), [])
    assert.equal(await scene.tryClaim(queue), null)
    assert.deepEqual(await scene.listed(queue, { includeDelayed: true }), ['a'])
    scene.clock.advance(1)
    assert.deepEqual(await scene.listed(queue), ['a'])
    assert.deepEqual(await scene.claimed(queue), ['a'])
  })

  it('it takes its place then, behind all that were visible before', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { delaySeconds: 10 }, 'delayed')
    await scene.post(queue, 'a')
    const { marker } = await scene.list(queue)
    scene.pass(5)
    await scene.post(queue, 'b')
    scene.pass(6)
    await scene.post(queue, 'c')
    assert.deepEqual(await scene.listed(queue), ['a', 'b', 'delayed', 'c'])
    assert.deepEqual(await scene.listed(queue, { after: marker }), ['b', 'delayed', 'c'])
    assert.deepEqual(await scene.claimed(queue), ['a', 'b', 'delayed', 'c'])
  })

  it('delays that end at one instant keep the order of posting, before what is posted at that instant', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { delaySeconds: 10 }, 'a', 'b')
    scene.pass(5)
    await scene.postWith(queue, { delaySeconds: 5 }, 'c')
    await scene.postWith(queue, { delaySeconds: 2 }, 'early')
    scene.pass(5)
    await scene.post(queue, 'd')
    assert.deepEqual(await scene.listed(queue), ['early', 'a', 'b', 'c', 'd'])
    assert.deepEqual(await scene.pop(queue, 3), ['early', 'a', 'b'])
    assert.deepEqual(await scene.pop(queue), ['c', 'd'])
  })

  it('delays end in the order of their instants, whatever the order of posting and however late somebody looks', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { delaySeconds: 30 }, 'third')
    await scene.postWith(queue, { delaySeconds: 10 }, 'first')
    await scene.postWith(queue, { delaySeconds: 20 }, 'second')
    scene.pass(3000)
    assert.deepEqual(await scene.listed(queue), ['first', 'second', 'third'])
    assert.deepEqual(await scene.claimed(queue), ['first', 'second', 'third'])
  })

  it('a listing with delayed messages goes by order of posting', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { delaySeconds: 10 }, 'a')
    await scene.post(queue, 'b')
    await scene.postWith(queue, { delaySeconds: 5 }, 'c')
    const inOrder = async () => {
      const first = await scene.list(queue, { includeDelayed: true, limit: 2 })
      const rest = await scene.listed(queue, { includeDelayed: true, after: first.marker })
      return [...first.messages.map((message) => JSON.parse(message.body)), ...rest]
    }
    assert.deepEqual(await inOrder(), ['a', 'b', 'c'])
    scene.pass(5)
    assert.deepEqual(await inOrder(), ['a', 'b', 'c'])
    scene.pass(5)
    assert.deepEqual(await inOrder(), ['a', 'b', 'c'])
    assert.deepEqual(await scene.listed(queue), ['b', 'c', 'a'])
  })

  it('as a marker the id of a delayed message stands for its POST', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'before')
    const id = await scene.postOne(queue, 'delayed', { delaySeconds: 10 })
    scene.pass(1)
    await scene.post(queue, 'after')
    assert.deepEqual(await scene.listed(queue, { after: id }), ['after'])
    assert.deepEqual(await scene.listed(queue, { after: id, includeDelayed: true }), ['after'])
    scene.pass(9)
    assert.deepEqual(await scene.listed(queue, { after: id }), ['after', 'delayed'])
  })

  it('a delay does not lengthen the ttl', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { delaySeconds: 10, ttlSeconds: 10 }, 'never')
    await scene.postWith(queue, { delaySeconds: 10, ttlSeconds: 11 }, 'briefly')
    scene.pass(10)
    assert.deepEqual(await scene.listed(queue, { includeDelayed: true }), ['briefly'])
    assert.deepEqual(await scene.listed(queue), ['briefly'])
    scene.pass(1)
    assert.deepEqual(await scene.listed(queue), [])
  })
}
