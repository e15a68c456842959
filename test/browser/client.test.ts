/** The client in a real browser: a page of another origin has it in its bundle. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { type SignedUrl, Zaqar, type ZaqarOptions } from 'zaqar-client'
import { bundled } from '../../packages/client/test/bundle.ts'
import { openGate } from '../client/gate.ts'
import { requirePeer } from '../support/peers.ts'
import { startService } from '../support/service.ts'
import { servePage, startBrowser } from './browser.ts'

/** What the bundle leaves to the page. */
declare const client: typeof import('zaqar-client')
declare const zaqar: Zaqar
declare const packr: NonNullable<ZaqarOptions['msgpack']>
/** Of what a subscriber was told, in its order. */
declare const bodies: unknown[]
/** Resolves with them when there are so many. */
declare const isTold: (count: number) => Promise<unknown[]>
declare const told: (body: unknown) => void

const BUNDLE = `
import * as client from 'zaqar-client'
import { Packr } from 'msgpackr'

const bodies = []
let wake = () => {}
const isTold = async (count) => {
  while (bodies.length < count) await new Promise((resolve) => { wake = resolve })
  return bodies
}
const told = (body) => {
  bodies.push(body)
  wake()
}
const packr = new Packr({ useRecords: false, int64AsType: 'number' })
Object.assign(globalThis, { client, packr, bodies, isTold, told })
`

const html = `<!doctype html><script type="module">${await bundled(BUNDLE)}</script>`

/** Those that can be handed to a page. */
interface Options extends Pick<ZaqarOptions, 'url' | 'project' | 'retries'> {
  readonly auth?: { readonly signed: SignedUrl }
}

/** A page with the bundle and with a client of those options as its `zaqar`. */
async function openPage(browser: BrowserContext, origin: string, options: Options): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(origin)
  await page.evaluate((options) => {
    Object.assign(globalThis, { zaqar: new client.Zaqar(options) })
  }, options)
  return page
}

async function setUp(t: TestContext) {
  const { origin, close } = await servePage(html)
  t.after(close)
  const service = await startService({
    config: `[cors]\nallowed_origin = ${origin}\n[signed_url]\nsecret_key = s3cret\n`,
  })
  t.after(() => service.kill())
  const gate = await openGate(service.url)
  t.after(() => gate.close())
  return { origin, service, gate, browser: await startBrowser(t) }
}

/** Each in a project of its own, before the same service and in the same browser. */
test('a page of another origin', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { origin, service, gate, browser } = await setUp(t)

  await t.test('posts, works on messages and is told of them, of two queues over one socket', async () => {
    const page = await openPage(browser, origin, { url: service.url, project: 'one' })
    const sockets: string[] = []
    page.on('websocket', (socket) => sockets.push(socket.url()))
    const program = new Zaqar({ url: service.url, project: 'one' })
    await program.queue('orders').post({ from: 'a program' })
    const seen = await page.evaluate(async () => {
      const [orders, other] = [zaqar.queue('orders'), zaqar.queue('other')]
      const subscribers = [orders, other].map((queue) => queue.subscribe((m) => told(m.body), { from: 'start' }))
      await isTold(1)
      await orders.post({ from: 'the page', text: 'grün' })
      await isTold(2)
      await other.post(3)
      await isTold(3)
      const ways = subscribers.map(({ transport }) => transport)
      await Promise.all(subscribers.map((subscriber) => subscriber.stop()))
      const done: unknown[] = []
      await new Promise<void>((resolve) => {
        const consumer = orders.consume(({ body }) => {
          done.push(body)
          if (done.length === 2) void consumer.stop().then(resolve)
        })
      })
      return { bodies, ways, done, left: (await orders.stats()).total }
    })
    const ofOrders = [{ from: 'a program' }, { from: 'the page', text: 'grün' }]
    assert.deepEqual(seen, { bodies: [...ofOrders, 3], ways: ['socket', 'socket'], done: ofOrders, left: 0 })
    assert.deepEqual(sockets, [`${service.url.replace('http', 'ws')}/v2`])
    program.close()
  })

  await t.test('with MessagePack handed in has binary frames', async () => {
    const page = await openPage(browser, origin, { url: service.url, project: 'two' })
    const frames: unknown[] = []
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => frames.push(payload))
      socket.on('framereceived', ({ payload }) => frames.push(payload))
    })
    const body = { text: 'grün', large: 2 ** 40, list: [null, true, 1.5] }
    const seen = await page.evaluate(
      async ({ url, body }) => {
        const packed = new client.Zaqar({ url, project: 'two', msgpack: packr })
        packed.queue('orders').subscribe((message) => told(message.body), { from: 'start' })
        await packed.socket.request('message_post', { queue_name: 'orders', messages: [{ body, ttl: 300 }] })
        await isTold(1)
        packed.close()
        return bodies
      },
      { url: service.url, body },
    )
    assert.deepEqual(seen, [body])
    assert.ok(frames.length > 0 && frames.every(Buffer.isBuffer), 'a frame is text')
  })

  await t.test('is told by an event stream where sockets are refused, and polls where those are, too', async () => {
    gate.refusesUpgrades = true
    const page = await openPage(browser, origin, { url: gate.url, project: 'three' })
    const byEvents = await page.evaluate(async () => {
      const queue = zaqar.queue('orders')
      const subscriber = queue.subscribe((m) => told(m.body), { from: 'start', onError: () => {} })
      Object.assign(globalThis, { subscriber })
      await queue.post(1)
      await isTold(1)
      return subscriber.transport
    })
    gate.refusesEvents = true
    gate.cut()
    const byPolls = await page.evaluate(async () => {
      const { subscriber } = globalThis as unknown as { subscriber: { transport: string } }
      await zaqar.queue('orders').post(2)
      await isTold(2)
      await zaqar.queue('orders').post(3)
      return { bodies: await isTold(3), way: subscriber.transport }
    })
    assert.deepEqual([byEvents, byPolls], ['events', { bodies: [1, 2, 3], way: 'poll' }])
  })

  await t.test('with signed values alone posts, works on messages and is told, in the queue of those', async () => {
    const owner = new Zaqar({ url: service.url, project: 'four' })
    const paths = ['messages', 'subscriptions', 'claims'] as const
    const signed = await owner.queue('orders').share({ methods: ['GET', 'POST', 'PATCH', 'DELETE'], paths })
    const page = await openPage(browser, origin, { url: service.url, auth: { signed } })
    const seen = await page.evaluate(async () => {
      const orders = zaqar.queue('orders')
      const subscriber = orders.subscribe((m) => told(m.body), { from: 'start' })
      await orders.post(1)
      await isTold(1)
      const way = subscriber.transport
      await subscriber.stop()
      const done = await new Promise<unknown>((resolve) => {
        const consumer = orders.consume(({ body }) => void consumer.stop().then(() => resolve(body)))
      })
      const refused = await zaqar
        .queue('other')
        .post(2)
        .catch((error) => error.code)
      return { bodies, way, done, refused }
    })
    assert.deepEqual(seen, { bodies: [1], way: 'socket', done: 1, refused: 'not_found' })
    assert.equal((await owner.queue('orders').stats()).total, 0)
    owner.close()
  })

  await t.test(
    'that goes offline and comes back has lost and repeated nothing, and its posts arrive once',
    async () => {
      const page = await openPage(browser, origin, { url: service.url, project: 'five' })
      const program = new Zaqar({ url: service.url, project: 'five' })
      await page.evaluate(async () => {
        zaqar.queue('orders').subscribe((m) => told(m.body), { from: 'start', onError: () => {} })
        await zaqar.queue('orders').post(0)
        await isTold(1)
      })
      for (let round = 0; round < 2; round++) {
        await page.context().setOffline(true)
        const failed = page.waitForEvent('requestfailed')
        await page.evaluate((round) => {
          Object.assign(globalThis, { posted: zaqar.queue('from-the-page').post(round) })
        }, round)
        await failed
        for (let i = 1; i <= 3; i++) await program.queue('orders').post(round * 3 + i)
        assert.equal((await page.evaluate(() => bodies)).length, round * 3 + 1, 'something comes while it is offline')
        await page.context().setOffline(false)
        await page.evaluate(() => (globalThis as unknown as { posted: Promise<string> }).posted)
        await page.evaluate((count) => isTold(count), round * 3 + 4)
      }
      assert.deepEqual(await page.evaluate(() => bodies), [0, 1, 2, 3, 4, 5, 6])
      const posted = await Array.fromAsync(program.queue('from-the-page').messages(), ({ body }) => body)
      assert.deepEqual(posted, [0, 1])
      program.close()
    },
  )

  await t.test('that is not let in hears that the service cannot be reached', async (t) => {
    const other = await servePage(html)
    t.after(other.close)
    const page = await openPage(browser, other.origin, { url: service.url, project: 'six', retries: 0 })
    const code = await page.evaluate(() =>
      zaqar
        .queue('orders')
        .post(1)
        .catch((error) => error.code),
    )
    assert.equal(code, 'unreachable')
  })
})
