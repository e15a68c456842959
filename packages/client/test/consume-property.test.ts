import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import fc from 'fast-check'
import { Consumer } from '../src/consume.ts'
import { Zaqar } from '../src/http.ts'
import { type Fate, ModelService, pass, settle } from './support/model-service.ts'

interface Course {
  readonly messages: number
  readonly concurrency: number
  readonly prefetch: number
  /** Of the requests, one after the other; what comes later is served. */
  readonly fates: readonly Fate[]
  /** What handlers do, one after the other; what comes later succeeds at once. */
  readonly handlings: readonly { readonly succeeds: boolean; readonly seconds: number }[]
  /** When all claims end, in seconds. */
  readonly ends: readonly number[]
  /** When the consumer is stopped and another one takes over. */
  readonly stop: { readonly second: number; readonly release: boolean }
}

const course: fc.Arbitrary<Course> = fc
  .record({
    messages: fc.integer({ min: 1, max: 40 }),
    size: fc.oneof(
      fc.constant({ concurrency: 1, prefetch: 1 }),
      fc.record({ concurrency: fc.integer({ min: 1, max: 6 }), prefetch: fc.integer({ min: 1, max: 30 }) }),
    ),
    fates: fc.array(fc.constantFrom<Fate>('served', 'served', 'lost', 'refused', 'answer lost'), { maxLength: 40 }),
    handlings: fc.array(
      fc.record({
        succeeds: fc.boolean(),
        seconds: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 2, noNaN: true }), fc.constant(70)),
      }),
      { maxLength: 20 },
    ),
    ends: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 }),
    stop: fc.record({ second: fc.integer({ min: 0, max: 60 }), release: fc.boolean() }),
  })
  .map(({ size, ...rest }) => ({ ...rest, ...size }))

/** Seconds that the longest of these courses takes, and more. */
const PATIENCE = 4_000

test('whatever happens, each message is handled, none is lost, and no more are held than may be', async (t) => {
  let repeats = 0
  let handled = 0
  await fc.assert(
    fc.asyncProperty(course, async (course) => {
      const { begun, messages } = await run(course)
      repeats += begun.length - messages
      handled += messages
    }),
    { numRuns: 40 },
  )
  t.diagnostic(`${repeats} of ${handled + repeats} handlings were repeats`)
})

async function run(course: Course): Promise<{ begun: readonly number[]; messages: number }> {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  try {
    const trial = new Trial(course)
    await trial.first()
    await trial.second()
    const bodies = Array.from({ length: course.messages }, (_, i) => i)
    assert.deepEqual(
      [...trial.done].sort((a, b) => a - b),
      bodies,
    )
    if (course.prefetch === 1 && course.concurrency === 1) assert.deepEqual([...new Set(trial.begun)], bodies)
    return { begun: trial.begun, messages: course.messages }
  } finally {
    mock.timers.reset()
  }
}

class Trial {
  readonly begun: number[] = []
  readonly done = new Set<number>()
  readonly #course: Course
  readonly #service = new ModelService()
  #fates: readonly Fate[]

  constructor(course: Course) {
    this.#course = course
    this.#fates = course.fates
    this.#service.post(...Array.from({ length: course.messages }, (_, i) => i))
    this.#service.fateOf = () => {
      const [fate = 'served', ...rest] = this.#fates
      this.#fates = rest
      return fate
    }
    for (const end of course.ends) setTimeout(() => this.#service.endClaims(), end * 1000)
  }

  /** Is stopped in the midst of it. What goes wrong then is little enough to be tried again. */
  async first(): Promise<void> {
    const { stop } = this.#course
    const consumer = this.#consumer()
    await pass(stop.second * 1000, 100)
    this.#fates = this.#fates.slice(0, 3)
    await this.#stop(consumer, stop.release)
  }

  /** Goes on until there is nothing more. */
  async second(): Promise<void> {
    const consumer = this.#consumer()
    for (let second = 0; this.#service.messages.length > 0; second++) {
      assert.ok(second < PATIENCE, 'it does not come to an end')
      await pass(1000, 100)
    }
    await this.#stop(consumer, false)
  }

  #consumer(): Consumer<number> {
    const { concurrency, prefetch } = this.#course
    const queue = new Zaqar({ url: 'http://service.test', fetch: this.#service.fetch }).queue('jobs')
    const handling = { all: this.#course.handlings }
    return new Consumer<number>(
      queue,
      async ({ body }) => {
        this.begun.push(body)
        const [{ succeeds, seconds } = { succeeds: true, seconds: 0 }, ...rest] = handling.all
        handling.all = rest
        if (seconds > 0) await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
        if (!succeeds) throw new Error('failed')
        this.done.add(body)
      },
      { concurrency, prefetch, onError: () => {} },
    )
  }

  async #stop(consumer: Consumer<number>, release: boolean): Promise<void> {
    let isOver = false
    const stopped = consumer.stop({ release }).then(() => {
      isOver = true
    })
    await settle()
    for (let second = 0; !isOver; second++) {
      assert.ok(second < PATIENCE, 'it does not stop')
      await pass(1000, 100)
    }
    await stopped
    assert.deepEqual(this.#service.held(), [], 'what is claimed by one that has stopped')
    assert.ok(this.#service.mostHeld <= this.#course.prefetch, `${this.#service.mostHeld} were held`)
  }
}
