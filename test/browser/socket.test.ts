/** The page of examples/browser in a real browser, from another origin: sockets and event streams. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { until } from '../../packages/server/test/support/until.ts'
import { authtoken, type Cloud, startCloud } from '../keystone/cloud.ts'
import { missingPeer, requirePeer } from '../support/peers.ts'
import { type Service, startService } from '../support/service.ts'
import { servePage, startBrowser } from './browser.ts'

const EXAMPLE = new URL('../../examples/browser/index.html', import.meta.url)
const HEADERS = {
  'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c',
  'X-Project-ID': 'demo',
  'Content-Type': 'application/json',
}
/** So many messages show that something goes on. */
const SOME = 20
const BETWEEN_POSTS_MS = 15

async function serveExample(t: TestContext): Promise<string> {
  const { origin, close } = await servePage(readFileSync(EXAMPLE, 'utf8'))
  t.after(close)
  return origin
}

interface Filled {
  readonly url: string
  readonly project?: string
  readonly queue?: string
  readonly credentials?: string
}

/** Opens the example, as somebody who fills in its form. */
async function openExample(t: TestContext, address: string, { url, project, queue, credentials }: Filled) {
  const page = await (await startBrowser(t)).newPage()
  await page.goto(address)
  await fill(page, 'url', url)
  await fill(page, 'project', project ?? 'demo')
  await fill(page, 'queue', queue ?? 'orders')
  await fill(page, 'credentials', credentials ?? '')
  return page
}

const fill = (page: Page, name: string, value: string) => page.locator(`[name=${name}]`).fill(value)
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

async function follow(page: Page, way: Way): Promise<void> {
  await press(page, `Follow by ${way}`)
  await stateIs(page, /^Following/)
}

async function post(page: Page, body: unknown): Promise<void> {
  await fill(page, 'body', JSON.stringify(body))
  await press(page, 'Post')
}

async function stateIs(page: Page, wanted: RegExp): Promise<void> {
  await page.getByRole('status').filter({ hasText: wanted }).waitFor()
}

/** Bodies of the messages that the page shows, in the order in which they came. */
async function shownIn(page: Page): Promise<unknown[]> {
  return (await page.locator('#messages pre').allInnerTexts()).map((text) => JSON.parse(text)).reverse()
}

async function shows(page: Page, bodies: readonly unknown[]): Promise<void> {
  await until(async () => (await page.locator('#messages pre').count()) >= bodies.length).catch(() => undefined)
  assert.deepEqual(await shownIn(page), bodies)
}

type Way = 'a socket' | 'an event stream'
const WAYS = ['a socket', 'an event stream'] as const

for (const way of WAYS) {
  test(`a page that follows by ${way} misses and repeats nothing while the network and the service are away`, async (t) => {
    if (!requirePeer(t, 'chromium')) return
    const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-browser-'))
    const origin = await serveExample(t)
    let port = 0
    const start = async () => {
      const service = await startService({ config: `[cors]\nallowed_origin = ${origin}\n`, port, dataDir })
      t.after(() => service.kill())
      return service
    }
    const first = await start()
    port = first.port
    const page = await openExample(t, origin, first)
    await follow(page, way)
    const poster = new Poster(first.url)
    t.after(() => poster.stop())
    const cutFor = async (use: () => Promise<void>) => {
      await page.context().setOffline(true)
      await use()
      await page.context().setOffline(false)
    }
    const showsMore = async () => {
      const before = (await shownIn(page)).length
      await until(async () => (await shownIn(page)).length >= before + SOME, 'no more messages come')
    }

    // Once before there is any message behind which it could go on.
    await cutFor(() => poster.postsSome())
    await showsMore()
    await cutFor(() => poster.postsSome())
    await showsMore()
    await first.kill()
    await stateIs(page, /^Disconnected/)
    const second = await start()
    await poster.postsSome()
    await showsMore()
    await shows(page, await poster.stop())
    await second.stop()
    rmSync(dataDir, { recursive: true })
  })
}

test('a page of an origin that is not allowed is refused', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const service = await startService({ config: '[cors]\nallowed_origin = https://console.example.org\n' })
  t.after(() => service.stop())
  const page = await openExample(t, await serveExample(t), service)
  const refused = page.waitForEvent('websocket').then((socket) => socket.waitForEvent('socketerror'))
  await press(page, 'Follow by a socket')
  assert.match(await refused, /403/)
  await stateIs(page, /^Disconnected/)
  const blocked = page.waitForEvent('console', (message) => message.text().includes('CORS policy'))
  await press(page, 'Follow by an event stream')
  await blocked
  await stateIs(page, /^Disconnected/)
})

test('opened as a file the page works too, and shows what is in a message without running it', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const service = await startService({ config: '[cors]\nallowed_origin = *\n' })
  t.after(() => service.stop())
  const page = await openExample(t, EXAMPLE.href, service)
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  const bodies = ['</pre><img src=x onerror=alert(1)>', '<script>alert(2)</script>', { '<b>': [null, 1.5, 'ü'] }]
  await follow(page, 'a socket')
  for (const body of bodies) await post(page, body)
  await shows(page, bodies)
  assert.equal(await page.locator('#messages :is(img, script, b)').count(), 0)
  assert.deepEqual(complaints, [])
})

describe('with Keystone', { skip: missingPeer('keystone') || missingPeer('uwsgi') }, () => {
  let cloud: Cloud
  let service: Service
  let example: { origin: string; close(): void }
  let origin: string
  let red: string

  before(async () => {
    cloud = await startCloud()
    red = cloud.projects.red
    example = await servePage(readFileSync(EXAMPLE, 'utf8'))
    origin = example.origin
    const lines = Object.entries(authtoken(cloud)).map(([name, value]) => `${name} = ${value}`)
    service = await startService({
      config: [
        '[DEFAULT]\nauth_strategy = keystone',
        `[keystone_authtoken]\n${lines.join('\n')}`,
        `[cors]\nallowed_origin = ${origin}`,
        '[signed_url]\nsecret_key = s3cret',
        '[http]\ncredentials_in_query = true\n',
      ].join('\n'),
    })
  })

  after(async () => {
    example?.close()
    await service?.stop()
    await cloud?.keystone.destroy()
  })

  /** As a program with a token: answers the document. */
  async function ask(path: string, document: unknown): Promise<unknown> {
    const headers = { ...HEADERS, 'X-Project-ID': red, 'X-Auth-Token': await cloud.token('rita', 'red') }
    const answer = await fetch(`${service.url}${path}`, { method: 'POST', headers, body: JSON.stringify(document) })
    assert.ok(answer.ok, `${answer.status}`)
    return answer.json()
  }

  const postTo = (queue: string, body: unknown) =>
    ask(`/v2/queues/${queue}/messages`, { messages: [{ body, ttl: 300 }] })

  test('a page that has a token posts and is told, in the project of the token alone', async (t) => {
    if (!requirePeer(t, 'chromium')) return
    const token = await cloud.token('rita', 'red')
    const page = await openExample(t, origin, { ...service, project: red, queue: 'with-token', credentials: token })
    await follow(page, 'a socket')
    await post(page, { from: 'the page' })
    await shows(page, [{ from: 'the page' }])
    await postTo('with-token', { from: 'a program' })
    await shows(page, [{ from: 'the page' }, { from: 'a program' }])

    await follow(page, 'an event stream')
    await postTo('with-token', 'by another way')
    await shows(page, [{ from: 'the page' }, { from: 'a program' }, 'by another way'])

    await fill(page, 'project', cloud.projects.blue)
    await press(page, 'Follow by a socket')
    await stateIs(page, /^403: Not authenticated\./)
    await fill(page, 'credentials', 'junk')
    await press(page, 'Follow by a socket')
    await stateIs(page, /^401: Authentication failed\./)
    await fill(page, 'credentials', '')
    await press(page, 'Follow by a socket')
    await stateIs(page, /^403: Not authentified\./)
  })

  test('a page that has signed values only posts and is told, in the queue that was signed alone', async (t) => {
    if (!requirePeer(t, 'chromium')) return
    const terms = { methods: ['GET', 'POST'], paths: ['messages', 'subscriptions'] }
    const signed = JSON.stringify(await ask('/v2/queues/shared/share', terms))
    const page = await openExample(t, origin, { ...service, project: '-', queue: 'shared', credentials: signed })
    await follow(page, 'a socket')
    await post(page, { from: 'the page' })
    await postTo('shared', { from: 'a program' })
    await shows(page, [{ from: 'the page' }, { from: 'a program' }])

    await follow(page, 'an event stream')
    await postTo('shared', 'by another way')
    await shows(page, [{ from: 'the page' }, { from: 'a program' }, 'by another way'])

    await fill(page, 'queue', 'another')
    await press(page, 'Follow by a socket')
    await stateIs(page, /^403: Not authentified\./)
    const answered = page.waitForResponse((answer) => answer.url().startsWith(service.url))
    await press(page, 'Follow by an event stream')
    assert.equal((await answered).status(), 404)
    for (const secret of [JSON.parse(signed).signature, await cloud.token('rita', 'red')]) {
      assert.ok(!service.log().includes(secret) && !service.output().includes(secret), 'a credential is in the log')
    }
  })
})

/** Another program that posts one number after the other to the queue `orders`, each once, whatever becomes of the service. */
class Poster {
  readonly #messages: string
  #posted = 0
  #isStopped = false
  readonly #done: Promise<void>

  constructor(url: string) {
    this.#messages = `${url}/v2/queues/orders/messages`
    this.#done = this.#post()
  }

  /** Resolves when some more are stored. */
  async postsSome(): Promise<void> {
    const wanted = this.#posted + SOME
    await until(() => this.#posted >= wanted)
  }

  /** Answers all that is stored. */
  async stop(): Promise<number[]> {
    this.#isStopped = true
    await this.#done
    return Array.from({ length: this.#posted }, (_, i) => i)
  }

  async #post(): Promise<void> {
    while (!this.#isStopped) {
      const headers = { ...HEADERS, 'Idempotency-Key': `number-${this.#posted}` }
      const body = JSON.stringify({ messages: [{ body: this.#posted, ttl: 3600 }] })
      const answer = await fetch(this.#messages, { method: 'POST', headers, body }).catch(() => null)
      if (answer?.status === 201) this.#posted++
      await sleep(BETWEEN_POSTS_MS)
    }
  }
}
