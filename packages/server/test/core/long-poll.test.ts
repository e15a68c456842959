import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { LongPolls } from '../../src/core/long-poll.ts'
import type { QueueKey } from '../../src/model/model.ts'
import { settled, waits } from '../support/settled.ts'

const QUEUE: QueueKey = { kind: 'queue', project: 'p', name: 'jobs' }
const STAYS = new AbortController().signal

/** A queue of messages that everybody who waits may look at or take from. */
class Scene {
  readonly clock = new ManualClock()
  readonly messages: string[] = []
  attempts = 0
  readonly #listeners = new Set<() => void>()
  readonly polls = new LongPolls({ watch: (_key, listener) => this.#watch(listener) }, this.clock)

  wait(takes: boolean, signal = STAYS, look = async () => this.#next(takes)): Promise<string | null> {
    const attempt = () => {
      this.attempts++
      return look()
    }
    return this.polls.poll({ key: QUEUE, waitSeconds: 20, takes, attempt, signal: () => signal })
  }

  take = () => this.wait(true)
  look = () => this.wait(false)

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

  #next(takes: boolean): string | null {
    return (takes ? this.messages.shift() : this.messages[0]) ?? null
  }
}

describe('a line of requests that wait', () => {
  for (const wait of ['take', 'look'] as const) {
    test(`costs each newcomer (${wait}) two attempts, and the others none`, async () => {
      const scene = new Scene()
      const all = []
      for (let i = 0; i < 100; i++) {
        all.push(scene[wait]())
        await settled()
      }
      assert.equal(scene.attempts, 200)
      scene.polls.close()
      await Promise.all(all)
    })

    test(`shows (${wait}) what came between the first attempt and the watch`, async () => {
      const scene = new Scene()
      let first = true
      const look = async () => {
        if (!first) return scene.messages[0] ?? null
        first = false
        scene.post('early')
        return null
      }
      assert.equal(await scene.wait(wait === 'take', STAYS, look), 'early')
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
    const gone = scene.wait(true, departure.signal)
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
      const slowly = async () => {
        const taken = scene.messages.shift() ?? null
        if (taken !== null) await taking.promise
        return taken
      }
      const found = scene.wait(true, STAYS, slowly)
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
