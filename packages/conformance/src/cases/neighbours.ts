import assert from 'node:assert/strict'
import { idsOf, wordsOf } from '../scene.ts'
import { besideFailures } from './beside-failures.ts'
import type { It } from './case.ts'

/** Moves that share their turn or their transaction with one that fails. */
export function neighbourCases(it: It): void {
  it.needing('failNeighbour', 'a page of messages is the same beside a move that fails', async (scene) => {
    const queue = await scene.queue()
    const words = Array.from({ length: 9 }, (_, n) => `${n}`)
    await scene.post(queue, ...words)
    const { messages, marker } = await besideFailures(scene, () => scene.list(queue, { limit: 3 }))
    assert.deepEqual(wordsOf(messages), words.slice(0, 3))
    assert.deepEqual(await besideFailures(scene, () => scene.listed(queue, { after: marker })), words.slice(3))
  })

  it.needing('failNeighbour', 'a page of messages behind many of the client that asks, too', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'first')
    for (let posts = 0; posts < 25; posts += 1)
      await scene.postWith(queue, { clientId: 'me' }, ...Array(100).fill('mine'))
    await scene.post(queue, 'second', 'third', 'fourth')
    const page = () => scene.listed(queue, { hideClientId: 'me', limit: 3 })
    assert.deepEqual(await besideFailures(scene, page), ['first', 'second', 'third'])
  })

  it.needing('failNeighbour', 'moves before and after one that fails happen once', async (scene) => {
    const queue = await scene.queue()
    const ids = await scene.post(queue, 'claimed', 'deleted', 'stays')
    const [claim, , , , first, second] = await Promise.all([
      scene.claim(queue, { limit: 1 }),
      scene.post(queue, 'before'),
      scene.clients.failNeighbour(),
      scene.delete(queue, ids[1] as string),
      scene.post(queue, 'after'),
      scene.claim(queue, { limit: 1 }),
    ])
    assert.deepEqual(idsOf(claim.messages), ids.slice(0, 1))
    assert.equal(first.length, 1)
    assert.deepEqual(wordsOf(second.messages), ['stays'])
    assert.deepEqual(await scene.listed(queue), ['before', 'after'])
    assert.deepEqual(await scene.getClaim(queue, claim.id), claim)
  })
}
