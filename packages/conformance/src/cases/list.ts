import assert from 'node:assert/strict'
import type { QueueHandle } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { alteredIds, malformedIds } from '../malformed-ids.ts'
import { type Scene, wordsOf } from '../scene.ts'
import type { It } from './case.ts'

export function listCases(it: It): void {
  it('an empty page has no marker', async (scene) => {
    const queue = await scene.queue()
    assert.deepEqual(await scene.list(queue), { messages: [], marker: null })
    await scene.post(queue, 'a')
    const { marker } = await scene.list(queue)
    assert.notEqual(marker, null)
    assert.deepEqual(await scene.list(queue, { after: marker }), { messages: [], marker: null })
  })

  it('pages follow each other without gap or repetition', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c', 'd', 'e')
    for (const includeDelayed of [false, true]) {
      assert.deepEqual(await pages(scene, queue, { limit: 2, includeDelayed }), [['a', 'b'], ['c', 'd'], ['e']])
      assert.deepEqual(await pages(scene, queue, { limit: 1, includeDelayed }), [['a'], ['b'], ['c'], ['d'], ['e']])
    }
  })

  it('listing changes nothing, and a marker may be used again', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const { marker } = await scene.list(queue, { limit: 1 })
    assert.deepEqual(await scene.listed(queue, { after: marker }), ['b'])
    await scene.post(queue, 'c')
    assert.deepEqual(await scene.listed(queue, { after: marker }), ['b', 'c'])
    assert.deepEqual(await scene.listed(queue), ['a', 'b', 'c'])
  })

  it('a marker outlives what it names', async (scene) => {
    const queue = await scene.queue()
    const [, second] = await scene.post(queue, 'a', 'b', 'c')
    assert(second)
    const { marker } = await scene.list(queue, { limit: 2 })
    await scene.delete(queue, second)
    assert.deepEqual(await scene.listed(queue, { after: marker }), ['c'])
    await scene.storage.messages.purge({ queue, now: scene.now })
    await scene.post(queue, 'd')
    assert.deepEqual(await scene.listed(queue, { after: marker }), ['d'])
  })

  it('the id of a message is a marker at its place, also when it is gone', async (scene) => {
    const queue = await scene.queue()
    const [first, second] = await scene.post(queue, 'a', 'b', 'c')
    assert(first && second)
    assert.deepEqual(await scene.listed(queue, { after: first }), ['b', 'c'])
    await scene.delete(queue, second)
    assert.deepEqual(await scene.listed(queue, { after: second }), ['c'])
    assert.deepEqual(await scene.listed(queue, { after: second, includeDelayed: true }), ['c'])
  })

  it('what is no marker of this queue counts as the beginning', async (scene) => {
    const queue = await scene.queue()
    const [id] = await scene.post(queue, 'a', 'b')
    assert(id)
    const { marker } = await scene.list(queue, { limit: 1 })
    assert(marker)
    for (const after of [...malformedIds, ...alteredIds(id), ...alteredIds(marker)]) {
      for (const includeDelayed of [false, true]) {
        assert.deepEqual(await scene.listed(queue, { after, includeDelayed }), ['a', 'b'], JSON.stringify(after))
      }
    }
  })

  it('a client may leave out what it posted itself', async (scene) => {
    const queue = await scene.queue()
    await scene.postWith(queue, { clientId: 'ada' }, 'a1')
    await scene.postWith(queue, { clientId: 'bob' }, 'b1', 'b2')
    await scene.postWith(queue, { clientId: 'ada' }, 'a2')
    assert.deepEqual(await scene.listed(queue, { hideClientId: 'ada' }), ['b1', 'b2'])
    assert.deepEqual(await scene.listed(queue, { hideClientId: 'bob' }), ['a1', 'a2'])
    assert.deepEqual(await scene.listed(queue, { hideClientId: 'eve' }), ['a1', 'b1', 'b2', 'a2'])
  })

  it('a page is filled although most messages are hidden', async (scene) => {
    const queue = await scene.queue()
    const ownWords = Array.from({ length: 60 }, (_, n) => `own ${n}`)
    await scene.postWith(queue, { clientId: 'ada' }, ...ownWords)
    await scene.postWith(queue, { clientId: 'bob' }, 'a')
    await scene.postWith(queue, { clientId: 'ada' }, ...ownWords)
    await scene.postWith(queue, { clientId: 'bob' }, 'b', 'c')
    assert.deepEqual(await pages(scene, queue, { limit: 2, hideClientId: 'ada' }), [['a', 'b'], ['c']])
    await scene.claim(queue, { limit: 122 })
    assert.deepEqual(await pages(scene, queue, { limit: 2 }), [['c']])
  })

  it('claimed messages show on request, with the claim that holds them', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b', 'c')
    const claim = await scene.claim(queue, { limit: 2 })
    assert.deepEqual(await scene.listed(queue), ['c'])
    const { messages } = await scene.list(queue, { includeClaimed: true })
    assert.deepEqual(
      messages.map(({ body, claimId, claimCount }) => ({ body, claimId, claimCount })),
      [
        { body: '"a"', claimId: claim.id, claimCount: 1 },
        { body: '"b"', claimId: claim.id, claimCount: 1 },
        { body: '"c"', claimId: null, claimCount: 0 },
      ],
    )
  })

  it('each message has a marker on request, behind which comes what follows it', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    await scene.postWith(queue, { delaySeconds: 5 }, 'delayed')
    await scene.post(queue, 'c')
    await scene.claim(queue, { limit: 1 })
    const lists = async (includeDelayed: boolean, words: readonly string[]) => {
      const terms = { includeClaimed: true, includeDelayed, withMarkers: true }
      const { messages, marker } = await scene.list(queue, terms)
      assert.deepEqual(wordsOf(messages), words)
      assert.equal(messages.at(-1)?.marker, marker)
      for (const [index, message] of messages.entries()) {
        assert(message.marker)
        const rest = await scene.listed(queue, { ...terms, after: message.marker })
        assert.deepEqual(rest, words.slice(index + 1), `behind ${message.body}`)
      }
    }
    await lists(false, ['a', 'b', 'c'])
    await lists(true, ['a', 'b', 'delayed', 'c'])
    scene.pass(5)
    await lists(false, ['a', 'b', 'c', 'delayed'])
    await lists(true, ['a', 'b', 'delayed', 'c'])
    const { messages } = await scene.list(queue)
    assert(messages.every((message) => !('marker' in message)))
  })

  it('a stale handle lists nothing', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now: scene.now })
    const answer = await scene.storage.messages.list({
      queue,
      after: null,
      limit: 10,
      hideClientId: null,
      includeClaimed: true,
      includeDelayed: true,
      now: scene.now,
    })
    assert.equal(answer, STALE)
  })

  it('markers stay good when the queue is updated', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a', 'b')
    const { marker } = await scene.list(queue, { limit: 1 })
    const updated = await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now: scene.now })
    assert(updated !== STALE)
    assert.deepEqual(await scene.listed(updated, { after: marker }), ['b'])
  })
}

async function pages(scene: Scene, queue: QueueHandle, terms: Parameters<Scene['list']>[1]): Promise<string[][]> {
  const pages: string[][] = []
  let after: string | null = null
  do {
    const { messages, marker } = await scene.list(queue, { ...terms, after })
    if (messages.length > 0) pages.push(messages.map((message) => JSON.parse(message.body)))
    after = marker
  } while (after !== null)
  return pages
}
