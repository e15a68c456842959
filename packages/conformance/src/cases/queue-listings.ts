import assert from 'node:assert/strict'
import type { JsonObject, ListedQueue, MetadataFilter, QueueKey } from 'zaqar/storage'
import type { Scene } from '../scene.ts'
import { besideFailures } from './beside-failures.ts'
import type { It } from './case.ts'

const key: QueueKey = { project: 'alpha', kind: 'queue', name: 'jobs' }

/** The queues of a project, as its registry knows them. */
export function queueListingCases(it: It): void {
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
    const queue = await scene.queue('a')
    await scene.queue('b')
    await scene.queue('a', { kind: 'topic' })
    await scene.queue('a', { project: 'beta' })
    assert.equal(await count('alpha', 'queue'), 2)
    assert.equal(await count('alpha', 'topic'), 1)
    assert.equal(await count('gamma', 'queue'), 0)
    await storage.queues.delete({ queue, now })
    assert.equal(await count('alpha', 'queue'), 1)
    assert.equal(await count('alpha', 'topic'), 1)
    assert.equal(await count('beta', 'queue'), 1)
  })

  it('a dead letter queue that came into being by itself is listed and counted', async (scene) => {
    const queue = await scene.queue()
    await scene.post(queue, 'a')
    await scene.tryClaim(queue, { deadLetter: { queue: 'dead', maxClaimCount: 0, ttlSeconds: null } })
    assert.deepEqual(await names(scene), ['dead', 'jobs'])
    assert.equal(await scene.storage.queues.count({ project: 'alpha', kind: 'queue', now: scene.now }), 2)
  })

  it('metadata is listed letter by letter, where it is asked for', async (scene) => {
    const metadata =
      '{"b": {"z": [1.0, -0.5, 1E+300, 9223372036854775807, ""], "10": null}, "9": "\\u0000\\ud800é漢😀", "__proto__": {"x": 1}, "": false}'
    await scene.storage.queues.create({ key, metadata, now: scene.now })
    assert.deepEqual(await listed(scene, { withMetadata: true }), [{ name: 'jobs', metadata }])
    assert.deepEqual(await listed(scene), [{ name: 'jobs', metadata: null }])
  })

  it('nothing of another project or kind is listed', async (scene) => {
    await scene.queue()
    await scene.queue('other')
    await scene.queue('jobs', { project: 'beta' })
    await scene.queue('more', { kind: 'topic' })
    for (const [project, kind, expected] of [
      ['alpha', 'queue', ['jobs', 'other']],
      ['alpha', 'topic', ['more']],
      ['beta', 'queue', ['jobs']],
      ['beta', 'topic', []],
      ['alph', 'queue', []],
      ['', 'queue', []],
    ] as const) {
      assert.deepEqual(await names(scene, { project, kind }), expected)
    }
  })

  it.needing('survivesReopen', 'what is listed and counted is the same after a reopening', async (scene) => {
    const created = await scene.queue()
    const metadata = '{"b": 1.0, "a": {"c": [null]}}'
    await scene.storage.queues.update({ queue: created, metadata, now: scene.now })
    await scene.storage.queues.delete({ queue: await scene.queue('deleted'), now: scene.now })
    await scene.clients.reopen()
    assert.deepEqual(await listed(scene, { withMetadata: true }), [{ name: 'jobs', metadata }])
    assert.equal(await scene.storage.queues.count({ project: 'alpha', kind: 'queue', now: scene.now }), 1)
  })

  it.needing('failNeighbour', 'a page is the same beside a move that fails', async (scene) => {
    const all = await manyQueues(scene, '{}')
    assert.deepEqual(await besideFailures(scene, () => names(scene, { limit: 3, withMetadata: true })), all.slice(0, 3))
    assert.deepEqual(await besideFailures(scene, () => names(scene, { withMetadata: true })), all)
  })

  it.needing('failNeighbour', 'a page of queues with long metadata, too', async (scene) => {
    const all = await manyQueues(scene, JSON.stringify({ long: 'x'.repeat(50_000) }))
    assert.deepEqual(await besideFailures(scene, () => names(scene, { limit: 7, withMetadata: true })), all.slice(0, 7))
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

/** Their names, sorted. */
async function manyQueues(scene: Scene, metadata: string): Promise<string[]> {
  const names = Array.from({ length: 9 }, (_, n) => `queue ${n}`)
  for (const name of names) {
    await scene.storage.queues.create({ key: { project: 'alpha', kind: 'queue', name }, metadata, now: scene.now })
  }
  return names
}
