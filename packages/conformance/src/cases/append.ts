import assert from 'node:assert/strict'
import { STALE } from 'zaqar/storage'
import { wordsOf } from '../scene.ts'
import type { It } from './case.ts'

export function appendCases(it: It): void {
  it('a message is stored as it was posted', async (scene) => {
    const queue = await scene.queue()
    const { now } = scene
    const id = await scene.postOne(queue, 'one', { ttlSeconds: 120 })
    scene.pass(5)
    assert.deepEqual(await scene.get(queue, id), [
      { id, body: '"one"', ttlSeconds: 120, createdAt: now, clientId: 'poster', claimId: null, claimCount: 0 },
    ])
  })

  it('the text of a body comes back unchanged', async (scene) => {
    const queue = await scene.queue()
    const bodies = [
      '{"b": 1,  "a":2}',
      '1.0e+02',
      '123456789012345678901234567890',
      'null',
      '""',
      '"é漢😀\\u0000\\ud800"',
      JSON.stringify('x'.repeat(262144)),
    ]
    const messages = bodies.map((body) => ({ body, ttlSeconds: 60, delaySeconds: 0 }))
    await scene.storage.messages.append({ queue, clientId: 'poster', messages, now: scene.now })
    const { messages: listed } = await scene.list(queue)
    assert.deepEqual(
      listed.map((message) => message.body),
      bodies,
    )
  })

  it('ids are different, safe in a URL and without "=" or ","', async (scene) => {
    const queue = await scene.queue()
    const other = await scene.queue('other')
    const words = Array.from({ length: 20 }, (_, n) => `${n}`)
    const ids = [...(await scene.post(queue, ...words)), ...(await scene.post(other, ...words))]
    assert.equal(new Set(ids).size, 40)
    for (const id of ids) assert.match(id, /^[A-Za-z0-9_.~-]+$/)
  })

  it('the messages of a POST follow each other in the order of the array', async (scene) => {
    const queue = await scene.queue()
    const ids = [...(await scene.post(queue, 'a', 'b', 'c')), ...(await scene.post(queue, 'd', 'e'))]
    const { messages } = await scene.list(queue)
    assert.deepEqual(
      messages.map((message) => message.id),
      ids,
    )
    assert.deepEqual(wordsOf(messages), ['a', 'b', 'c', 'd', 'e'])
  })

  it('POSTs that were made together are each in one piece', async (scene) => {
    const queue = await scene.queue()
    const posts = Array.from({ length: 20 }, (_, post) => scene.post(queue, `${post}`, `${post}`, `${post}`))
    await Promise.all(posts)
    const listed = await scene.listed(queue)
    assert.equal(listed.length, 60)
    for (let start = 0; start < 60; start += 3) assert.equal(new Set(listed.slice(start, start + 3)).size, 1)
  })

  it('a POST to a queue that has changed or gone stores nothing', async (scene) => {
    const queue = await scene.queue()
    const { now } = scene
    const append = () =>
      scene.storage.messages.append({
        queue,
        clientId: 'poster',
        messages: [{ body: '1', ttlSeconds: 60, delaySeconds: 0 }],
        now,
      })
    const updated = await scene.storage.queues.update({ queue, metadata: '{"changed": true}', now })
    assert(updated !== STALE)
    assert.equal(await append(), STALE)
    assert.deepEqual(await scene.listed(updated), [])
    assert.equal(await scene.storage.queues.delete({ queue: updated, now }), 'deleted')
    assert.equal(await append(), STALE)
    assert.deepEqual(await scene.listed(await scene.queue()), [])
  })
}
