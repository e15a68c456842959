/** The files of the console as the service gives them away. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { servePage, startBrowser } from '../browser/browser.ts'
import { requirePeer } from '../support/peers.ts'
import { startService } from '../support/service.ts'

const MOST_BYTES = 100_000

test('the console', async (t) => {
  const service = await startService()
  t.after(() => service.kill())

  await t.test('is small, and asks for nothing but its own files', async () => {
    const index = await fetchPacked(`${service.url}/console/`)
    const names = Array.from(index.text.matchAll(/(?:src|href)="([^"]*)"/g), ([, name = '']) => name)
    assert.ok(names.length >= 3, index.text)
    let bytes = index.bytes
    for (const name of names) {
      assert.match(name, /^\.\//)
      const { pathname } = new URL(name, `${service.url}/console/`)
      bytes += (await fetchPacked(`${service.url}${pathname}`)).bytes
    }
    assert.ok(bytes < MOST_BYTES, `${bytes} bytes, compressed`)
  })

  await t.test('has no script or style inside its page, and forbids both', async () => {
    const { text, headers } = await fetchPacked(`${service.url}/console/`)
    for (const [tag] of text.matchAll(/<script[^>]*>/g)) assert.match(tag, / src="/)
    assert.doesNotMatch(text, /<style|\son\w+=|\sstyle=|javascript:/i)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.match(policy, /script-src 'self'(;|$)/)
    assert.match(policy, /style-src 'self'(;|$)/)
    assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/)
  })

  await t.test('is shown in no page of somebody else', async (t) => {
    if (!requirePeer(t, 'chromium')) return
    const { origin, close } = await servePage(`<!doctype html><iframe src="${service.url}/console/"></iframe>`)
    t.after(close)
    const page = await (await startBrowser(t)).newPage()
    await page.goto(origin)
    assert.equal(await page.frameLocator('iframe').locator('#console').count(), 0)
    await page.goto(`${service.url}/console/`)
    assert.equal(await page.locator('#console').count(), 1)
  })
})

test('the console that is switched off is not there, and nothing else changes', async (t) => {
  const on = await startService()
  t.after(() => on.kill())
  const off = await startService({ config: '[console]\nenabled = false\n' })
  t.after(() => off.kill())
  for (const path of ['/console', '/console/', '/console/settings.json', '/console/keystone/v3/auth/tokens']) {
    assert.equal((await fetch(off.url + path, { redirect: 'manual' })).status, 404, path)
  }
  const headers = { 'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c', 'X-Project-ID': 'demo' }
  for (const path of ['/', '/v2', '/v2/queues', '/v2/ping', '/readyz', '/openapi.json', '/nothing']) {
    const [withIt, without] = await Promise.all([on, off].map(({ url }) => fetch(url + path, { headers })))
    assert.deepEqual([without?.status, await without?.text()], [withIt?.status, await withIt?.text()], path)
  }
})

/** A file as browsers ask for it. */
async function fetchPacked(url: string) {
  const asked = request(url, { headers: { 'accept-encoding': 'gzip' } }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const packed = Buffer.concat(await Array.fromAsync(answer))
  assert.deepEqual([answer.statusCode, answer.headers['content-encoding']], [200, 'gzip'], url)
  return { bytes: packed.length, text: gunzipSync(packed).toString(), headers: answer.headers }
}
