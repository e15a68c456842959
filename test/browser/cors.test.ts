/** Pages of other origins in a real browser call the service. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrowserContext } from 'playwright-core'
import { requirePeer } from '../support/peers.ts'
import { startService } from '../support/service.ts'
import { servePage, startBrowser } from './browser.ts'

/** What the page gets: status and document, or the name of the error that the browser shows it. */
type Seen = { status: number; document: unknown } | { error: string }

/** Calls the service from a page of the origin. */
async function fetchFrom(browser: BrowserContext, origin: string, url: string, method: string, body?: string) {
  const page = await browser.newPage()
  try {
    await page.goto(`${origin}/`)
    return await page.evaluate(
      async ({ url, method, body }): Promise<Seen> => {
        const headers = {
          'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c',
          'X-Project-ID': 'p1',
          'Content-Type': 'application/json',
        }
        try {
          const answer = await fetch(url, { method, headers, ...(body !== undefined && { body }) })
          const text = await answer.text()
          return { status: answer.status, document: text === '' ? null : JSON.parse(text) }
        } catch (error) {
          return { error: (error as Error).name }
        }
      },
      { url, method, body },
    )
  } finally {
    await page.close()
  }
}

test('a page of an allowed origin posts, lists and deletes messages; one of another origin may not', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const allowed = await servePage()
  t.after(allowed.close)
  const other = await servePage()
  t.after(other.close)
  const service = await startService({ config: `[cors]\nallowed_origin = ${allowed.origin}\n` })
  t.after(() => service.stop())
  const browser = await startBrowser(t)

  const messages = `${service.url}/v2/queues/q/messages`
  const post = JSON.stringify({ messages: [{ ttl: 300, body: { from: 'a page' } }] })
  const posted = await fetchFrom(browser, allowed.origin, messages, 'POST', post)
  assert.ok('status' in posted, JSON.stringify(posted))
  assert.equal(posted.status, 201)

  const listed = await fetchFrom(browser, allowed.origin, `${messages}?echo=true`, 'GET')
  assert.ok('status' in listed, JSON.stringify(listed))
  const found = (listed.document as { messages: { body: unknown; href: string }[] }).messages
  assert.deepEqual(
    found.map(({ body }) => body),
    [{ from: 'a page' }],
  )
  const missing = await fetchFrom(browser, allowed.origin, `${messages}/none`, 'GET')
  assert.ok('status' in missing, JSON.stringify(missing))
  assert.equal(missing.status, 404)

  assert.deepEqual(await fetchFrom(browser, other.origin, messages, 'POST', post), { error: 'TypeError' })
  assert.deepEqual(await fetchFrom(browser, other.origin, `${messages}?echo=true`, 'GET'), { error: 'TypeError' })

  const [message] = found
  const deleted = await fetchFrom(browser, allowed.origin, `${service.url}${message?.href}`, 'DELETE')
  assert.deepEqual(deleted, { status: 204, document: null })
  const afterwards = await fetchFrom(browser, allowed.origin, `${messages}?echo=true`, 'GET')
  assert.deepEqual('document' in afterwards && (afterwards.document as { messages: unknown[] }).messages, [])
})

test('a page cannot get at a service without authentication, neither without a preflight nor by a name of its own', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const other = await servePage()
  t.after(other.close)
  const service = await startService()
  t.after(() => service.stop())
  const browser = await startBrowser(t)
  const queue = `${service.url}/v1/queues/q`
  const headers = { 'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c' }
  await fetch(queue, { method: 'PUT', body: '{}' })
  await fetch(`${queue}/messages`, { method: 'POST', headers, body: '[{"ttl": 300, "body": 1}]' })

  // A claim in the oldest version needs no header of its own.
  const claim = async (url: string) => {
    const body = '{"ttl": 300, "grace": 300}'
    return (await fetch(url, { method: 'POST', mode: 'no-cors', headers: { 'Content-Type': 'text/plain' }, body })).type
  }
  const page = await browser.newPage()
  await page.goto(`${other.origin}/`)
  assert.equal(await page.evaluate(claim, `${queue}/claims`), 'opaque')

  const rebound = `http://rebound.example:${service.port}`
  assert.equal((await page.goto(`${rebound}/`))?.status(), 403)
  assert.equal(await page.evaluate(claim, `${rebound}/v1/queues/q/claims`), 'basic')

  assert.equal((await page.goto(`${service.url}/docs`, { referer: other.origin }))?.status(), 200)
  const { messages } = (await (await fetch(`${queue}/stats`)).json()) as { messages: { claimed: number; free: number } }
  assert.deepEqual([messages.claimed, messages.free], [0, 1])
})
