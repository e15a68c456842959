import assert from 'node:assert/strict'
import type { Queue, QueueKey } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import type { It } from './case.ts'

const key: QueueKey = { project: 'alpha', kind: 'queue', name: 'jobs' }

export function queueCases(it: It): void {
  it('a missing queue is created with its metadata', async ({ storage, now }) => {
    assert.equal(await storage.queues.get({ key, now }), null)
    const { created, queue } = await storage.queues.create({ key, metadata: '{"colour": "red"}', now })
    assert.equal(created, true)
    assert.deepEqual(queue, { ...queue, ...key, metadata: '{"colour": "red"}' })
    assert.deepEqual(await storage.queues.get({ key, now }), queue)
  })

  it('an existing queue is left as it is', async ({ storage, now }) => {
    const { queue } = await storage.queues.create({ key, metadata: '{"colour": "red"}', now })
    const again = await storage.queues.create({ key, metadata: '{"colour": "blue"}', now })
    assert.deepEqual(again, { created: false, queue })
  })

  it('metadata comes back letter by letter', async ({ storage, now }) => {
    const metadata =
      '{"b": {"z": [1.0, -0.5, 1E+300, 9223372036854775807, ""], "10": null}, "9": "\\u0000\\ud800é漢😀", "__proto__": {"x": 1}, "": false}'
    await storage.queues.create({ key, metadata, now })
    assert.equal((await storage.queues.get({ key, now }))?.metadata, metadata)
  })

  it('an update replaces the whole metadata and changes the version', async ({ storage, now }) => {
    const { queue } = await storage.queues.create({ key, metadata: '{"colour": "red", "size": 1}', now })
    const updated = await storage.queues.update({ queue, metadata: '{"shape": "round"}', now })
    assert(updated !== STALE)
    assert.deepEqual(updated, { ...queue, ...key, metadata: '{"shape": "round"}', version: updated.version })
    assert.notEqual(updated.version, queue.version)
    assert.deepEqual(await storage.queues.get({ key, now }), updated)
  })

  it('a version is never used again', async ({ storage, now }) => {
    const versions: string[] = []
    // On each of several engines it is another one.
    const versionOf = ({ pool = '', version }: Queue) => `${pool} ${version}`
    for (let round = 0; round < 5; round += 1) {
      const { queue } = await storage.queues.create({ key, metadata: '{}', now })
      const updated = await storage.queues.update({ queue, metadata: `{"round": ${round}}`, now })
      assert(updated !== STALE)
      versions.push(versionOf(queue), versionOf(updated))
      assert.equal(await storage.queues.delete({ queue: updated, now }), 'deleted')
    }
    assert.equal(new Set(versions).size, versions.length)
  })

  it('a deleted queue is gone', async ({ storage, now }) => {
    const { queue } = await storage.queues.create({ key, metadata: '{}', now })
    assert.equal(await storage.queues.delete({ queue, now }), 'deleted')
    assert.equal(await storage.queues.delete({ queue, now }), STALE)
    assert.equal(await storage.queues.get({ key, now }), null)
    assert.equal(await storage.queues.stats({ queue, now }), STALE)
  })

  it('a queue is deleted as the caller saw it, or not at all', async ({ storage, now }) => {
    const { queue: old } = await storage.queues.create({ key, metadata: '{}', now })
    const queue = await storage.queues.update({ queue: old, metadata: '{"shape": "round"}', now })
    assert(queue !== STALE)
    assert.equal(await storage.queues.delete({ queue: old, now }), STALE)
    assert.equal(await storage.queues.stats({ queue: old, now }), STALE)
    assert.deepEqual(await storage.queues.get({ key, now }), queue)
    assert.equal(await storage.queues.delete({ queue, now }), 'deleted')
  })
}
