import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import {
  type Message,
  type QueueHandle,
  type QueueKey,
  STALE,
  type Stale,
  type Storage,
  type WholeMessage,
} from '../../src/storage/contract.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from './postgres-server.ts'

const PAGE = 400
const HOUR = 3600

/** A store and its part of the queue. */
interface Place {
  readonly storage: Storage
  readonly queue: QueueHandle
}

interface ExportPage {
  readonly messages: readonly WholeMessage[]
  readonly marker: string | null
  readonly end: string
}

/** What was handed out, and what stood behind it then. */
interface Mark {
  readonly marker: string
  readonly isPosting: boolean
  readonly behind: readonly string[]
}

const missing = await missingPostgres()

describe('a queue that moves between engines', { skip: missing ?? false }, () => {
  const schema = newSchema()
  const clock = new ManualClock()
  let server: PostgresServer
  let sqlite: Storage
  let postgres: Storage
  before(async () => {
    server = await startPostgres()
    const idKey = randomBytes(16)
    sqlite = await openSqlite({ path: ':memory:', clock, idKey })
    postgres = await openPostgres({ uri: server.uri, schema, connections: 1, clock, idKey })
  })
  after(async () => {
    await sqlite.close()
    await postgres.close()
    await administer(server.uri, `DROP SCHEMA "${schema}" CASCADE`)
    await server.stop()
  })

  const open = async (storage: Storage, name: string): Promise<Place> => {
    const key: QueueKey = { project: 'p', kind: 'queue', name }
    return { storage, queue: (await storage.queues.create({ key, metadata: '{}', now: clock.now() })).queue }
  }

  const post = async ({ storage, queue }: Place, bodies: readonly string[], terms = {}): Promise<string[]> => {
    const messages = bodies.map((body) => ({ body, ttlSeconds: HOUR, delaySeconds: 0, ...terms }))
    const appended = await storage.messages.append({ queue, clientId: 'ada', messages, now: clock.now() })
    assert.ok(typeof appended === 'object')
    return appended.ids
  }

  const claim = async ({ storage, queue }: Place, limit: number, maxClaimCount: number | null = null) => {
    const deadLetter = maxClaimCount === null ? null : { queue: 'jobs', maxClaimCount, ttlSeconds: null }
    const terms = { limit, ttlSeconds: 60, graceSeconds: 0, deadLetter }
    return fresh(await storage.claims.create({ queue, ...terms, now: clock.now() }))
  }

  const giveBack = async (place: Place, limit: number) => {
    const { storage, queue } = place
    const taken = await claim(place, limit)
    assert.ok(taken !== null)
    await storage.claims.release({ queue, claimId: taken.id, now: clock.now() })
  }

  const remove = async ({ storage, queue }: Place, ids: readonly string[]) => {
    const removed = await storage.messages.deleteMany({ queue, ids, claimIds: null, now: clock.now() })
    assert.deepEqual(removed, { deleted: ids.length })
  }

  const end = async ({ storage, queue }: Place) => fresh(await storage.messages.end({ queue, now: clock.now() }))

  /** Everything from there on, in either order, read page by page. */
  const read = async ({ storage, queue }: Place, from: string | null, isPosting: boolean) => {
    const terms = { queue, limit: PAGE, hideClientId: null, includeClaimed: true, includeDelayed: isPosting }
    const messages: Message[] = []
    const markers: string[] = []
    for (let after = from; ; ) {
      const page = fresh(await storage.messages.list({ ...terms, after, now: clock.now() }))
      if (page.marker === null) return { messages, markers }
      messages.push(...page.messages)
      markers.push(page.marker)
      after = page.marker
    }
  }

  const idsBehind = async (place: Place, from: string | null, isPosting: boolean) =>
    (await read(place, from, isPosting)).messages.map(({ id }) => id)

  const exportPage = async ({ storage, queue }: Place, after: string | null): Promise<ExportPage> =>
    fresh(await storage.messages.export({ queue, after, limit: PAGE, now: clock.now() }))

  const exported = async ({ storage, queue }: Place) => {
    const messages: WholeMessage[] = []
    for (let after: string | null = null; ; ) {
      const page = await exportPage({ storage, queue }, after)
      if (page.marker === null) return { messages, end: page.end }
      messages.push(...page.messages)
      after = page.marker
    }
  }

  /** Everything that whoever works with the queue could ask about it. */
  const look = async (place: Place) => {
    const { storage, queue } = place
    const [placed, posted] = [await read(place, null, false), await read(place, null, true)]
    const ids = posted.messages.map(({ id }) => id)
    const stats = fresh(await storage.queues.stats({ queue, now: clock.now() }))
    return {
      free: stats.free + stats.claimed,
      ...(await exported(place)),
      // Claims stay behind.
      placed: { ...placed, messages: placed.messages.map((message) => ({ ...message, claimId: null })) },
      posted: { ...posted, messages: posted.messages.map((message) => ({ ...message, claimId: null })) },
      byId: fresh(await storage.messages.get({ queue, ids, now: clock.now() })).map(({ id }) => id),
    }
  }

  /** Markers of all sorts. */
  const marksOf = async (place: Place): Promise<Mark[]> => {
    const marks: Mark[] = []
    const note = async (marker: string, isPosting: boolean) =>
      marks.push({ marker, isPosting, behind: await idsBehind(place, marker, isPosting) })
    for (const isPosting of [false, true]) {
      const { markers, messages } = await read(place, null, isPosting)
      for (const marker of markers) await note(marker, isPosting)
      for (const i of [0, PAGE / 2, messages.length - 1]) await note(messages[i]?.id as string, isPosting)
    }
    await note(await end(place), false)
    return marks
  }

  /** As a drain does, page by page; the old queue goes when the new one has it all. */
  const move = async (from: Place, to: Storage): Promise<Place> => {
    const place = await open(to, from.queue.name)
    const now = clock.now()
    for (let after: string | null = null; ; ) {
      const { messages, marker, end } = await exportPage(from, after)
      assert.equal(await to.messages.import({ queue: place.queue, messages, end, now }), 'stored')
      if (marker === null) break
      after = marker
    }
    assert.equal(await from.storage.queues.delete({ queue: from.queue, now }), 'deleted')
    return place
  }

  /** Nothing that is new stands before what was handed out, and nothing that was there has moved. */
  const checkMarks = async (place: Place, marks: readonly Mark[], isNew: (id: string) => boolean) => {
    for (const { marker, isPosting, behind } of marks) {
      const now = await idsBehind(place, marker, isPosting)
      assert.deepEqual(now.slice(0, behind.length), behind)
      assert.ok(now.slice(behind.length).every(isNew))
    }
  }

  test('is the same queue there, and the same again when it has come back', async () => {
    let place = await open(sqlite, 'jobs')
    const other = await open(sqlite, 'other')
    await post(place, ['"was delayed"'], { delaySeconds: 30 })
    for (let batch = 0; batch < 30; batch += 1) {
      const ids = await post(
        place,
        Array.from({ length: 100 }, (_, i) => `{"batch":${batch},"number":${i}}`),
        { ttlSeconds: HOUR + batch },
      )
      await post(place, [`"delayed ${batch}"`], { delaySeconds: 600 + batch })
      await remove(place, ids.slice(0, batch))
    }
    await post(place, ['"short"'], { ttlSeconds: 60 })
    await giveBack(place, 500)
    await giveBack(place, 200)
    assert.ok((await claim(place, 300)) !== null)
    const dead = await post(other, ['"dead"', '"dead too"'])
    assert.equal(await claim(other, 10, 0), null)
    clock.advance(45_000)
    await post(place, ['"last"'])

    let marks = await marksOf(place)
    for (const to of [postgres, sqlite]) {
      const before = await look(place)
      assert.ok(before.messages.length > 2500)
      assert.deepEqual(new Set(before.messages.map(({ claimCount }) => claimCount)), new Set([0, 1, 2, 3]))
      place = await move(place, to)
      assert.deepEqual(await look(place), before)
      await checkMarks(place, marks, () => false)
      // Life goes on: some come, some are over with their delay, some expire.
      marks = await marksOf(place)
      const delayed = await idsBehind(place, null, true)
      const known = new Set(await idsBehind(place, null, false))
      const come = await post(place, ['"new"', '"newer"'])
      clock.advance(5_000)
      await checkMarks(place, marks, (id) => come.includes(id) || (delayed.includes(id) && !known.has(id)))
      marks = await marksOf(place)
    }
    // Home again, the dead letters know where they belong.
    const moved = fresh(await sqlite.messages.redrive({ queue: place.queue, ids: null, limit: 10, now: clock.now() }))
    assert.deepEqual(
      moved,
      dead.map((id) => ({ id, queue: 'other' })),
    )
  })

  test('gives no place before a marker away, though its last messages are gone', async () => {
    let place = await open(sqlite, 'emptied')
    const marks: Mark[] = []
    for (const to of [postgres, sqlite, postgres, sqlite]) {
      const ids = await post(place, ['1', '2', '3', '4'])
      const delayed = await post(place, ['5'], { delaySeconds: 60 })
      const { markers } = await read(place, null, false)
      const { markers: postings } = await read(place, null, true)
      const gone = [...ids, ...delayed]
      const note = (names: readonly string[], isPosting: boolean) =>
        marks.push(...names.map((marker) => ({ marker, isPosting, behind: [] })))
      note([...markers.slice(-1), ids.at(-1) as string, await end(place)], false)
      note([...postings.slice(-1), delayed[0] as string], true)
      await remove(place, gone)
      place = await move(place, to)
      const [id = ''] = await post(place, ['"new"'])
      assert.ok(!gone.includes(id))
      for (const { marker, isPosting } of marks) {
        assert.deepEqual(await idsBehind(place, marker, isPosting), [id])
      }
      await remove(place, [id])
    }
  })
})

function fresh<T>(answer: T | Stale): T {
  assert.ok(answer !== STALE)
  return answer
}
