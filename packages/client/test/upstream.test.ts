/** The client against a service that is as OpenStack's, without what only ours has. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Zaqar } from '../src/index.ts'
import { answer, ModelService } from './support/model-service.ts'
import { Signal } from './support/signal.ts'
import { answerTo, SocketService } from './support/socket-service.ts'

/** Its queue `jobs`, and what it is asked. */
async function startUpstream(t: TestContext) {
  const model = new ModelService()
  model.isUpstream = true
  const sockets = await SocketService.start(t)
  // Its frames repeat no `request_id`, and its subscriptions have no markers.
  sockets.act = (frame, peer) => {
    const body = frame.action === 'subscription_create' ? { subscription_id: 'one' } : {}
    peer.send({ ...answerTo(frame, 200, body), request_id: undefined })
  }
  const zaqar = new Zaqar({
    url: 'http://upstream.test',
    project: 'demo',
    socketUrl: sockets.url.replace('http', 'ws'),
    async fetch(input, init = {}) {
      const { Accept } = init.headers as Record<string, string>
      return Accept === 'application/json' ? model.fetch(input, init) : answer(406)
    },
  })
  t.after(() => zaqar.close())
  return { model, sockets, jobs: zaqar.queue('jobs') }
}

/** Posts all, and answers them as they should be told of: one by one, and page by page. */
async function postSome(jobs: { postAll(messages: { body: number }[]): Promise<string[]> }): Promise<number[]> {
  const bodies = Array.from({ length: 25 }, (_, i) => i)
  await jobs.postAll(bodies.map((body) => ({ body })))
  return bodies
}

test('messages are posted, listed, claimed, deleted and given back', async (t) => {
  const { model, jobs } = await startUpstream(t)
  const bodies = await postSome(jobs)
  assert.deepEqual(await Array.fromAsync(jobs.messages(), ({ body }) => body), bodies)
  const claim = await jobs.claim({ limit: 2, ttl: 60, wait: 20 })
  const [first] = claim?.messages ?? []
  assert.ok(claim && first)
  await claim.delete(first)
  await claim.renew({ ttl: 120 })
  await claim.release()
  assert.deepEqual(
    model.messages.map(({ body }) => body),
    bodies.slice(1),
  )
  assert.deepEqual(model.held(), [])
})

test('messages are consumed in order, and deleted', async (t) => {
  const { model, jobs } = await startUpstream(t)
  const bodies = await postSome(jobs)
  const seen: unknown[] = []
  const { promise: isDone, resolve } = Promise.withResolvers<void>()
  const consumer = jobs.consume(({ body }) => {
    seen.push(body)
    if (seen.length === bodies.length) resolve()
  })
  await isDone
  await consumer.stop()
  assert.deepEqual(seen, bodies)
  assert.deepEqual(model.messages, [])
})

test('a subscriber polls, and leaves no subscription behind', async (t) => {
  const { sockets, jobs } = await startUpstream(t)
  const bodies = await postSome(jobs)
  const seen: unknown[] = []
  const errors: string[] = []
  const changed = new Signal()
  const subscriber = jobs.subscribe(
    ({ body }) => {
      seen.push(body)
      changed.tell()
    },
    { from: 'start', onError: (error) => errors.push(String(error)) },
  )
  await changed.until(() => seen.length === bodies.length)
  assert.equal(subscriber.transport, 'poll')
  await jobs.post('later')
  await changed.until(() => seen.length > bodies.length)
  await subscriber.stop()
  assert.deepEqual(seen, [...bodies, 'later'])
  assert.equal(subscriber.marker, '26')
  assert.match(errors[0] ?? '', /pushes messages without markers/)
  assert.match(errors[1] ?? '', /406/)
  assert.equal(errors.length, 2)
  await sockets.asked('subscription_delete')
})
