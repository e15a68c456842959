import assert from 'node:assert/strict'
import type { JsonObject, ListedQueue, MetadataFilter, QueueKey } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import type { Scene } from '../scene.ts'
import type { It } from './case.ts'

const key: QueueKey = { project: 'alpha', kind: 'queue', name: 'jobs' }

export function queueCases(it: It): void {
  it('a missing queue is created with its metadata', async ({ storage, now }) => {
    assert.equal(await storage.queues.get({ key, now }), null)
    const { created, queue } = await storage.queues.create({ key, metadata: '{"colour": "red"}', now })
    assert.equal(created, true)
    assert.deepEqual(queue, { ...key, metadata: '{"colour": "red"}', version: queue.version })
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
    assert.deepEqual(await listed({ storage, now }, { withMetadata: true }), [{ name: 'jobs', metadata }])
    assert.deepEqual(await listed({ storage, now }), [{ name: 'jobs', metadata: null }])
  })

  it('an update replaces the whole metadata and changes the version', async ({ storage, now }) => {
    const { queue } = await storage.queues.create({ key, metadata: '{"colour": "red", "size": 1}', now })
    const updated = await storage.queues.update({ queue, metadata: '{"shape": "round"}', now })
    assert(updated !== STALE)
    assert.deepEqual(updated, { ...key, metadata: '{"shape": "round"}', version: updated.version })
    assert.notEqual(updated.version, queue.version)
    assert.deepEqual(await storage.queues.get({ key, now }), updated)
  })

  it('a version is never used again', async ({ storage, now }) => {
    const versions: string[] = []
    for (let round = 0; round < 5; round += 1) {
      const { queue } = await storage.queues.create({ key, metadata: '{}', now })
      const updated = await storage.queues.update({ queue, metadata: `{"round": ${round}}`, now })
      assert(updated !== STALE)
      versions.push(queue.version, updated.version)
      await storage.queues.delete({ key, now })
    }
    assert.equal(new Set(versions).size, versions.length)
  })

  it('a deleted queue is gone, and deleting a missing one is no error', async ({ storage, now }) => {
    await storage.queues.create({ key, metadata: '{}', now })
    await storage.queues.delete({ key, now })
    await storage.queues.delete({ key, now })
    assert.equal(await storage.queues.get({ key, now }), null)
    assert.equal(await storage.queues.stats({ key, now }), null)
    assert.deepEqual(await names({ storage, now }), [])
  })

  it('queues are listed by name in code point order, page by page', async (scene) => {
    const inOrder = ['-', '.', '0', '10', '9', 'A', 'B', '_', 'a', 'a-b', 'a.b', 'aa', 'b']
    for (const name of inOrder.toReversed()) await scene.queue(name)
    assert.deepEqual(await names(scene), inOrder)
    const pages: string[][] = []
    for (let page = await names(scene, { limit: 5 }); page.length > 0; ) {
      pages.push(page)
      page = await names(scene, { limit: 5, after: page.at(-1) ?? null })
    }
    assert.deepEqual(pages, [inOrder.slice(0, 5), inOrder.slice(5, 10), inOrder.slice(10)])
    assert.deepEqual(await names(scene, { after: 'Z' }), inOrder.slice(7), 'a name to start after need not exist')
  })

  it('a filter by name looks for the very text', async (scene) => {
    for (const name of ['a_b', 'axb', 'a.b', 'A_B', 'b']) await scene.queue(name)
    assert.deepEqual(await names(scene, { nameContains: '_' }), ['A_B', 'a_b'])
    assert.deepEqual(await names(scene, { nameContains: '.' }), ['a.b'])
    assert.deepEqual(await names(scene, { nameContains: 'a' }), ['a.b', 'a_b', 'axb'])
    assert.deepEqual(await names(scene, { nameContains: '%' }), [])
    assert.deepEqual(await names(scene, { nameContains: 'a', limit: 1, after: 'a.b' }), ['a_b'])
  })

  it('a filter by metadata compares JSON values', async (scene) => {
    const queues: Record<string, JsonObject> = {
      array: { v: [1] },
      empty: {},
      false: { v: false },
      null: { v: null },
      number: { v: 1 },
      object: { v: { v: 1 } },
      string: { v: '1' },
      true: { v: true, w: 'x' },
      zero: { v: 0 },
      nested: { u: { v: 1 } },
      escaped: { '"v"': 1, 'é\u0000': 1 },
    }
    for (const [name, metadata] of Object.entries(queues)) {
      await scene.storage.queues.create({ key: { ...key, name }, metadata: JSON.stringify(metadata), now: scene.now })
    }
    const filtered = (...metadata: MetadataFilter[]) => names(scene, { metadata })
    assert.deepEqual(await filtered({ key: 'v', anyOf: [1] }), ['number'])
    assert.deepEqual(await filtered({ key: 'v', anyOf: ['1'] }), ['string'])
    assert.deepEqual(await filtered({ key: 'v', anyOf: [true] }), ['true'])
    assert.deepEqual(await filtered({ key: 'v', anyOf: [false] }), ['false'])
    assert.deepEqual(await filtered({ key: 'v', anyOf: [null] }), ['null'])
    assert.deepEqual(await filtered({ key: 'v', anyOf: [0, '1', 1] }), ['number', 'string', 'zero'])
    assert.deepEqual(await filtered({ key: 'v', anyOf: [true] }, { key: 'w', anyOf: ['x', 'y'] }), ['true'])
    assert.deepEqual(await filtered({ key: 'v', anyOf: [1] }, { key: 'w', anyOf: ['x'] }), [])
    assert.deepEqual(await filtered({ key: 'v', anyOf: [] }), [])
    assert.deepEqual(await filtered({ key: '"v"', anyOf: [1] }, { key: 'é\u0000', anyOf: [1] }), ['escaped'])
    assert.deepEqual(await filtered({ key: 'toString', anyOf: [null] }), [])
    assert.deepEqual(await filtered({ key: '$.v', anyOf: [1] }, { key: '"v"', anyOf: [1] }), [])
  })

  it('a filtered page is filled although most queues do not pass', async (scene) => {
    for (let n = 100; n < 160; n += 1) {
      const metadata = `{"kind": "${n % 20 === 0 ? 'rare' : 'common'}"}`
      await scene.storage.queues.create({ key: { ...key, name: `q${n}` }, metadata, now: scene.now })
    }
    const metadata = [{ key: 'kind', anyOf: ['rare'] }]
    assert.deepEqual(await names(scene, { metadata, limit: 2 }), ['q100', 'q120'])
    assert.deepEqual(await names(scene, { metadata, limit: 2, after: 'q120' }), ['q140'])
  })

  it('a listing of long metadata is whole, filtered or not', async (scene) => {
    const all = Array.from({ length: 30 }, (_, n) => `q${n + 10}`)
    for (const [n, name] of all.entries()) {
      const metadata = `{"long": [${'1.0, '.repeat(12_000)}2], "n": ${n % 3}}`
      await scene.storage.queues.create({ key: { ...key, name }, metadata, now: scene.now })
    }
    assert.deepEqual(await names(scene, { withMetadata: true, limit: 30 }), all)
    assert.deepEqual(await names(scene, { withMetadata: true, limit: 25 }), all.slice(0, 25))
    const thirds = all.filter((_, n) => n % 3 === 1)
    assert.deepEqual(await names(scene, { metadata: [{ key: 'n', anyOf: [1] }] }), thirds)
    assert.deepEqual(
      await names(scene, { metadata: [{ key: 'n', anyOf: [1] }], limit: 4, after: 'q20' }),
      thirds.slice(4, 8),
    )
    assert.deepEqual(await names(scene, { metadata: [{ key: 'none', anyOf: [1] }] }), [])
  })

  it('queues are counted by project and kind', async (scene) => {
    const { storage, now } = scene
    const count = (project: string, kind: QueueKey['kind']) => storage.queues.count({ project, kind, now })
    await scene.queue('a')
    await scene.queue('b')
    await scene.queue('a', { kind: 'topic' })
    await scene.queue('a', { project: 'beta' })
    assert.equal(await count('alpha', 'queue'), 2)
    assert.equal(await count('alpha', 'topic'), 1)
    assert.equal(await count('gamma', 'queue'), 0)
    await storage.queues.delete({ key: { ...key, name: 'a' }, now })
    assert.equal(await count('alpha', 'queue'), 1)
    assert.equal(await count('alpha', 'topic'), 1)
    assert.equal(await count('beta', 'queue'), 1)
  })
}

type ListTerms = Parameters<Scene['storage']['queues']['list']>[0]

async function names(
  { storage, now }: Pick<Scene, 'storage' | 'now'>,
  terms: Partial<ListTerms> = {},
): Promise<string[]> {
  return (await listed({ storage, now }, terms)).map((queue) => queue.name)
}

function listed(
  { storage, now }: Pick<Scene, 'storage' | 'now'>,
  terms: Partial<ListTerms> = {},
): Promise<ListedQueue[]> {
  return storage.queues.list({
    project: key.project,
    kind: key.kind,
    after: null,
    limit: 100,
    nameContains: null,
    metadata: [],
    withMetadata: false,
    now,
    ...terms,
  })
}
