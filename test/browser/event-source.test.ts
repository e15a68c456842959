/** A page of another origin follows a queue by `EventSource`, which sets no headers. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { until } from '../../packages/server/test/support/until.ts'
import { requirePeer } from '../support/peers.ts'
import { type Service, startService } from '../support/service.ts'
import { openWay } from '../support/way.ts'
import { servePage, startBrowser } from './browser.ts'

/** What the page keeps. */
interface Seen {
  source: EventSource
  bodies: unknown[]
  opened: number
  lost: number
}

const HEADERS = {
  'Content-Type': 'application/json',
  'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c',
  'X-Project-ID': 'p1',
}

async function post(service: Service, ...bodies: readonly unknown[]): Promise<void> {
  const body = JSON.stringify({ messages: bodies.map((body) => ({ body })) })
  const answer = await fetch(`${service.url}/v2/queues/q/messages`, { method: 'POST', headers: HEADERS, body })
  assert.equal(answer.status, 201)
}

/** The address of the stream, with all that a signed URL says in its query. */
async function signedAddress({ url }: Service): Promise<string> {
  const body = JSON.stringify({ paths: ['messages'], methods: ['GET'] })
  const answer = await fetch(`${url}/v2/queues/q/share`, { method: 'POST', headers: HEADERS, body })
  const share = (await answer.json()) as Record<'signature' | 'expires' | 'project', string> &
    Record<'methods' | 'paths', string[]>
  const query = new URLSearchParams({
    url_signature: share.signature,
    url_expires: share.expires,
    url_methods: share.methods.join(','),
    url_paths: share.paths.join(','),
    project_id: share.project,
    client_id: '30387f00-39a0-11e2-b8e6-001f29e8e8b1',
  })
  return `${url}/v2/queues/q/messages?${query}`
}

/** Begins to follow, and resolves when that is so, or when it is refused. */
async function follow(page: Page, address: string): Promise<void> {
  await page.evaluate((address) => {
    const seen: Seen = { source: new EventSource(address), bodies: [], opened: 0, lost: 0 }
    Object.assign(globalThis, { seen })
    seen.source.onmessage = ({ data }) => seen.bodies.push(JSON.parse(data).body)
    return new Promise<void>((resolve) => {
      seen.source.onopen = () => {
        seen.opened += 1
        resolve()
      }
      seen.source.onerror = () => {
        seen.lost += 1
        resolve()
      }
    })
  }, address)
}

async function seenBy(page: Page): Promise<Omit<Seen, 'source'> & { readonly state: number }> {
  return page.evaluate(() => {
    const { source, bodies, opened, lost } = (globalThis as unknown as { seen: Seen }).seen
    return { state: source.readyState, bodies, opened, lost }
  })
}

async function hasSeen(page: Page, what: (seen: Awaited<ReturnType<typeof seenBy>>) => boolean): Promise<void> {
  await until(async () => what(await seenBy(page)), 'the page has not seen it')
}

async function start(t: TestContext, config: string, origin: string) {
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-events-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const options = { dataDir, config: `[cors]\nallowed_origin = ${origin}\n${config}` }
  return { options, service: await startService(options) }
}

test('a page follows over a network that fails and a service that is killed, without loss or repeat', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { origin, close } = await servePage()
  t.after(close)
  const { options, service } = await start(t, '[http]\ncredentials_in_query = true\n', origin)
  let running = service
  t.after(() => running.stop())
  const browser = await startBrowser(t)
  const page = await browser.newPage()
  await page.goto(`${origin}/`)
  const way = await openWay(service.port)
  t.after(way.close)
  await follow(page, (await signedAddress(service)).replace(`:${service.port}`, `:${way.port}`))
  assert.deepEqual(await seenBy(page), { state: 1, bodies: [], opened: 1, lost: 0 })

  // Before any message has come, there is none to go on behind.
  const network = await browser.newCDPSession(page)
  await network.send('Network.enable')
  const setOffline = async (offline: boolean) => {
    const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 }
    await network.send('Network.emulateNetworkConditions', conditions)
    // To be offline breaks no connection that is there.
    if (offline) way.cut()
  }
  await setOffline(true)
  await hasSeen(page, ({ lost }) => lost > 1)
  await post(service, 1, 2)
  await setOffline(false)
  await hasSeen(page, ({ bodies }) => bodies.length >= 2)
  await post(service, 3)
  await hasSeen(page, ({ bodies }) => bodies.length >= 3)

  await setOffline(true)
  await hasSeen(page, ({ state }) => state === 0)
  await post(service, 4)
  await setOffline(false)
  await hasSeen(page, ({ bodies }) => bodies.length >= 4)

  await service.kill()
  running = await startService({ ...options, port: service.port })
  await post(running, 5, 6)
  await hasSeen(page, ({ bodies }) => bodies.length >= 6)
  await post(running, 7)
  await hasSeen(page, ({ bodies }) => bodies.length >= 7)
  assert.deepEqual((await seenBy(page)).bodies, [1, 2, 3, 4, 5, 6, 7])
  assert.doesNotMatch(service.log() + running.log(), /url_signature|auth_token/)
})

test('a page of an origin that is not allowed gets no stream, and credentials in the query need an option', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const [allowed, other] = [await servePage(), await servePage()]
  t.after(allowed.close)
  t.after(other.close)
  const { service } = await start(t, '', allowed.origin)
  t.after(() => service.stop())
  const browser = await startBrowser(t)
  const page = await browser.newPage()
  const plain = `${service.url}/v2/queues/q/messages?project_id=p1&client_id=30387f00-39a0-11e2-b8e6-001f29e8e8b1`

  await page.goto(`${other.origin}/`)
  await follow(page, plain)
  assert.deepEqual(await seenBy(page), { state: 2, bodies: [], opened: 0, lost: 1 })

  await page.goto(`${allowed.origin}/`)
  await follow(page, plain)
  await post(service, 1)
  await hasSeen(page, ({ bodies }) => bodies.length === 1)
})
