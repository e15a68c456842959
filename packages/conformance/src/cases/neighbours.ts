import assert from 'node:assert/strict'
import { idsOf, type Scene, wordsOf } from '../scene.ts'
import type { It } from './case.ts'

/** Moves that share their turn or their transaction with one that fails. */
export function neighbourCases(it: It): void {
  it.needing('failingNeighbours', 'a page of queues is the same beside a move that fails', async (scene) => {
    const names = await manyQueues(scene, '{}')
    assert.deepEqual(await besideFailures(scene, () => listedQueues(scene, 3)), names.slice(0, 3))
    assert.deepEqual(await besideFailures(scene, () => listedQueues(scene, 100)), names)
  })

  it.needing('failingNeighbours', 'a page of queues with long metadata, too', async (scene) => {
    const names = await manyQueues(scene, JSON.stringify({ long: 'x'.repeat(50_000) }))
    assert.deepEqual(await besideFailures(scene, () => listedQueues(scene, 7)), names.slice(0, 7))
  })

  it.needing('failingNeighbours', 'a page of messages is the same beside a move that fails', async (scene) => {
    const queue = await scene.queue()
    const words = Array.from({ length: 9 }, (_, n) => `${n}`)
    await scene.post(queue, ...words)
    const { messages, marker } = await besideFailures(scene, () => scene.list(queue, { limit: 3 }))
    assert.deepEqual(wordsOf(messages), words.slice(0, 3))
    assert.deepEqual(await besideFailures(scene, () => scene.listed(queue, { after: marker })), words.slice(3))
  })

  it.needing('failingNeighbours', 'a page of messages behind many of the client that asks, too', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'first')
    for (let posts = 0; posts < 25; posts += 1)
      await scene.postWith(queue, { clientId: 'me' }, ...Array(100).fill('mine'))
    await scene.post(queue, 'second', 'third', 'fourth')
    const page = () => scene.listed(queue, { hideClientId: 'me', limit: 3 })
    assert.deepEqual(await besideFailures(scene, page), ['first', 'second', 'third'])
  })

  it.needing('failingNeighbours', 'moves before and after one that fails happen once', async (scene) => {
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

/** What the move answers while others fail beside it, in each turn until it answers. */
async function besideFailures<T>(scene: Scene, move: () => Promise<T>): Promise<T> {
  let isUnderWay = true
  const answer = move().finally(() => {
    isUnderWay = false
  })
  while (isUnderWay) await scene.clients.failNeighbour()
  return answer
}

/** Their names, sorted. */
async function manyQueues(scene: Scene, metadata: string): Promise<string[]> {
  const names = Array.from({ length: 9 }, (_, n) => `queue ${n}`)
  for (const name of names) {
    await scene.storage.queues.create({ key: { project: 'alpha', kind: 'queue', name }, metadata, now: scene.now })
  }
  return names
}

async function listedQueues(scene: Scene, limit: number): Promise<string[]> {
  const queues = await scene.storage.queues.list({
    project: 'alpha',
    kind: 'queue',
    after: null,
    limit,
    nameContains: null,
    metadata: [],
    withMetadata: true,
    now: scene.now,
  })
  return queues.map(({ name }) => name)
}
