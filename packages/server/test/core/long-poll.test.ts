import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { Followers } from '../../src/core/followers.ts'
import type { Listing, Page } from '../../src/core/listing.ts'
import { LongPolls } from '../../src/core/long-poll.ts'
import { Takers } from '../../src/core/takers.ts'
import type { QueueKey } from '../../src/model/model.ts'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { systemIds } from '../../src/platform/system-ids.ts'
import { settled, waits } from '../support/settled.ts'

const QUEUE: QueueKey = { kind: 'queue', project: 'p', name: 'jobs' }
const LISTING: Listing = {
  key: QUEUE,
  after: null,
  limit: 1,
  hideClientId: null,
  includeClaimed: false,
  includeDelayed: 'never',
}
const STAYS = new AbortController().signal

/** A queue of messages that everybody who waits may look at or take from. */
class Scene {
  readonly clock = new ManualClock()
  readonly messages: string[] = []
  attempts = 0
  /** Called in each attempt, when it has found what it finds; it answers when this has. */
  onAttempt: (how: 'take' | 'look', found: string | null) => void | Promise<void> = () => {}
  readonly #listeners = new Set<() => void>()
  readonly polls: LongPolls

  constructor() {
    const { clock } = this
    const watch = (_queue: QueueKey, listener: () => void) => this.#watch(listener)
    const readPage = async () => this.#pageOf(await this.#attempt('look', () => this.messages[0] ?? null))
    const budget = new MemoryBudget({ bytes: 1024 * 1024, clock })
    const followers = new Followers({ watch, readPage, clock, budget, ids: systemIds })
    this.polls = new LongPolls({ clock, readPage, followers, takers: new Takers(watch, clock) })
  }

  take = (signal = STAYS): Promise<string | null> => {
    const take = () => this.#attempt('take', () => this.messages.shift() ?? null)
    return this.polls.take(QUEUE, take, { waitSeconds: 20, signal: () => signal })
  }

  look = async (signal = STAYS): Promise<string | null> => {
    const page = await this.polls.list(LISTING, { waitSeconds: 20, signal: () => signal })
    return page && (page.messages[0]?.body ?? null)
  }

  /** `told` is false where the storage fails to tell. */
  post(message: string, told = true): void {
    this.messages.push(message)
    if (told) for (const listener of this.#listeners) listener()
  }

  get watchers(): number {
    return this.#listeners.size
  }

  #watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #attempt(how: 'take' | 'look', find: () => string | null): Promise<string | null> {
    this.attempts++
    const found = find()
    await this.onAttempt(how, found)
    return found
  }

  #pageOf(body: string | null): Page {
    const fields = { clientId: 'c', ttlSeconds: 60, createdAt: 0, claimId: null, claimCount: 0 }
    const messages = body === null ? [] : [{ id: body, body, ...fields }]
    return { now: this.clock.now(), includeDelayed: false, messages, marker: body }
  }
}

describe('a line of requests that wait', () => {
  for (const wait of ['take', 'look'] as const) {
    test(`costs the first that waits (${wait}) two attempts, each newcomer one, and the others none`, async () => {
      const scene = new Scene()
      const all = []
      for (let i = 0; i < 100; i++) {
        all.push(scene[wait]())
        await settled()
      }
      assert.equal(scene.attempts, 101)
      scene.polls.close()
      await Promise.all(all)
    })

    test(`shows (${wait}) what came between the first attempt and the watch`, async () => {
      const scene = new Scene()
      scene.onAttempt = () => {
        scene.onAttempt = () => {}
        scene.post('early')
      }
      assert.equal(await scene[wait](), 'early')
    })

    test(`tries (${wait}) once more when the time is over`, async () => {
      const scene = new Scene()
      const found = scene[wait]()
      await settled()
      scene.post('untold', false)
      scene.clock.advance(19_999)
      assert.ok(await waits(found))
      scene.clock.advance(1)
      assert.equal(await found, 'untold')
    })
  }

  test('serves those that take in the order of their arrival, one at a time', async () => {
    const scene = new Scene()
    const [first, second, third] = [scene.take(), scene.take(), scene.take()]
    await settled()
    scene.post('a')
    assert.equal(await first, 'a')
    assert.ok(await waits(second))
    const fourth = scene.take()
    await settled()
    scene.post('b')
    scene.post('c')
    assert.deepEqual(await Promise.all([second, third]), ['b', 'c'])
    assert.ok(await waits(fourth))
    scene.post('d')
    assert.equal(await fourth, 'd')
  })

  test('serves those that take while those that look are still looking', async () => {
    const scene = new Scene()
    const look = scene.look()
    const takes = [scene.take(), scene.take()]
    await settled()
    const looking = Promise.withResolvers<void>()
    scene.onAttempt = (how) => (how === 'look' ? looking.promise : undefined)
    scene.post('a')
    scene.post('b')
    assert.deepEqual(await Promise.all(takes), ['a', 'b'])
    assert.ok(await waits(look))
    looking.resolve()
    assert.equal(await look, 'a')
  })

  test('answers nothing to who waited in vain', async () => {
    const scene = new Scene()
    const all = [scene.take(), scene.look()]
    await settled()
    scene.clock.advance(20_000)
    assert.deepEqual(await Promise.all(all), [null, null])
  })

  test('does not look once more for a client that has gone, nor when the service stops', async () => {
    const scene = new Scene()
    const departure = new AbortController()
    const gone = scene.take(departure.signal)
    const stopped = scene.take()
    await settled()
    scene.post('untold', false)
    departure.abort()
    assert.equal(await gone, null)
    scene.polls.close()
    assert.equal(await stopped, null)
    assert.deepEqual(scene.messages, ['untold'])
  })

  test('loses nothing that is being taken when the time is over or the service stops', async () => {
    for (const end of [(scene: Scene) => scene.clock.advance(20_000), (scene: Scene) => scene.polls.close()]) {
      const scene = new Scene()
      const taking = Promise.withResolvers<void>()
      const found = scene.take()
      scene.onAttempt = (_how, taken) => (taken === null ? undefined : taking.promise)
      await settled()
      scene.post('a')
      scene.post('b')
      await settled()
      end(scene)
      assert.ok(await waits(found))
      taking.resolve()
      assert.equal(await found, 'a')
      assert.deepEqual(scene.messages, ['b'])
    }
  })

  test('watches nothing any more when nobody waits, whether something was found or not', async () => {
    const scene = new Scene()
    const all = [scene.look(), scene.look()]
    await settled()
    assert.equal(scene.watchers, 1)
    scene.post('a')
    await Promise.all(all)
    assert.equal(scene.watchers, 0)
    scene.messages.length = 0
    const inVain = scene.take()
    await settled()
    scene.clock.advance(20_000)
    await inVain
    assert.equal(scene.watchers, 0)
  })
})
