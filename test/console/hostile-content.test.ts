/** What others have written, in names, bodies, metadata and wherever else the console shows it, is text and nothing more. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { requirePeer } from '../support/peers.ts'
import { look, overhang } from './look.ts'
import { assertNoComplaints, go, openProject, press } from './open.ts'

const MARKUP = '"><img src=x onerror="document.title=1"><script>document.title=2</script>'
const IMAGE = '<img src=x onerror="document.title=1">'
const LINK = 'javascript:document.title=3'
/** Turns around what comes behind it, and would end a C string. */
const TURNED = '\u202egnirts \u0000'
const HALF = 'half \ud800 a character'
/** As deep as the service takes. */
const DEPTH = 490

test('hostile content', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-console-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const config = `[DEFAULT]\nadmin_mode = true\n[pooling]\nallowed_uris = sqlite:${folder}/*\n`
  const opened = await openProject(t, { config })
  const { page, zaqar, service } = opened

  /** Nothing of it has become a part of the page. */
  const assertInert = async () => {
    assert.equal(await page.locator('img, script:not([src]), iframe, [onerror], a[href^="javascript"]').count(), 0)
    assert.match(await page.title(), / – Zaqar$/)
  }

  await t.test('in bodies is shown as what it is', async () => {
    await zaqar
      .queue('hostile')
      .postAll([
        { body: MARKUP },
        { body: { [MARKUP]: LINK, __proto__: null, [TURNED]: TURNED } },
        { body: JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') },
        { body: HALF },
        { body: 'x'.repeat(200_000) },
      ])
    await go(page, '#/queues/hostile/messages')
    await page.getByText('onerror').first().waitFor()
    await page.getByText('\\u202egnirts \\u0000').first().waitFor()
    await page.getByText('half \\ud800 a character').waitFor()
    await page.getByText('__proto__').waitFor()
    assert.equal(await page.evaluate('({}).polluted'), undefined)
    await assertInert()
    await look(page, 'hostile')
    await page.getByText('more characters').click()
    await page.getByText('x'.repeat(200_000)).waitFor()
  })

  await t.test('that is long, deep or made of large numbers is shown, and exactly', async () => {
    const numbers = '[9007199254740993, 0.10000000000000000001, 9223372036854775807]'
    await post('numbers', `{"messages": [{"body": ${numbers}, "ttl": 300}]}`)
    await go(page, '#/queues/numbers/messages')
    await page.getByText('9007199254740993').waitFor()
    assert.deepEqual(await page.locator('.json-number').allTextContents(), numbers.slice(1, -1).split(', '))

    await zaqar.queue('deep').post(deep(DEPTH))
    await go(page, '#/queues/deep/messages')
    await page.setViewportSize({ width: 360, height: 800 })
    for (let level = 1; level <= 40; level++) {
      await page.locator('details.json-branch:not([open]) > summary').last().click()
      await page.locator('details.json-branch').nth(level).waitFor()
    }
    assert.ok((await overhang(page)) <= 0, 'the page is wider than its window')
    await page.setViewportSize({ width: 1280, height: 800 })
    await zaqar.queue('large').post('y'.repeat(262_000 - 50))
    await go(page, '#/queues/large/messages')
    await page.getByText('more characters').waitFor()
  })

  await t.test('that is too deep is refused in plain words', async () => {
    await go(page, '#/queues/deep/post')
    await page.getByLabel('Body').fill(JSON.stringify(deep(1_000)))
    await press(page, 'Post')
    await page.getByRole('alert').waitFor()
    await page.getByLabel('Body').fill('"fine again"')
    await press(page, 'Post')
    await page.getByText('1 message posted').waitFor()
  })

  await t.test('goes from the page to the service as it was typed', async () => {
    await go(page, '#/queues/typed/post')
    await page.getByLabel('Body').fill('{"n": 9007199254740993, "s": "\\ud800\\u0000"}')
    await press(page, 'Post')
    await page.getByText('1 message posted').waitFor()
    const answer = await fetch(`${service.url}/v2/queues/typed/messages?echo=true`, { headers: HEADERS })
    assert.match(await answer.text(), /"body": ?\{"n": ?9007199254740993, ?"s": ?"\\ud800\\u0000"\}/)
  })

  await t.test('in metadata is a text to edit, which turns nothing around', async () => {
    const metadata = `{${JSON.stringify(MARKUP)}: ${JSON.stringify(TURNED)}, "large": 9007199254740993}`
    await fetch(`${service.url}/v2/queues/described`, { method: 'PUT', headers: HEADERS, body: metadata })
    await go(page, '#/queues/described/settings')
    const area = page.getByLabel('Other metadata')
    await area.waitFor()
    const shown = await area.inputValue()
    assert.ok(shown.includes('\\u202egnirts \\u0000') && shown.includes('9007199254740993'), shown)
    await press(page, 'Save')
    await page.getByText('Saved').waitFor()
    assert.equal((await zaqar.queue('described').metadata())[MARKUP], TURNED)
    await assertInert()
  })

  await t.test('in subscriptions is text', async () => {
    const subscriber = `https://receiver.example/?'onerror=document.title=1&${LINK}`
    await zaqar.queue('described').addSubscription({ subscriber, ttl: 300, options: { note: MARKUP } })
    await go(page, '#/queues/described/subscriptions')
    await page.getByText('https://receiver.example').waitFor()
    await assertInert()
  })

  await t.test('in pools and flavors is text', async () => {
    const uri = `sqlite:${join(folder, 'pool.db')}`
    await put('pools', IMAGE, { uri, weight: 1, options: { [MARKUP]: TURNED } })
    await put('flavors', LINK, { pool_list: [IMAGE] })
    await page.getByRole('link', { name: 'Pools and flavors' }).click()
    await page.getByRole('rowheader', { name: IMAGE }).waitFor()
    await page.getByRole('rowheader', { name: LINK }).waitFor()
    await assertInert()
    await page
      .getByRole('row')
      .filter({ has: page.getByRole('rowheader', { name: LINK }) })
      .getByRole('button', { name: 'Change' })
      .click()
    await page.getByRole('checkbox', { name: IMAGE }).waitFor()
    await page.keyboard.press('Escape')
  })

  await t.test('in the address of a page is text', async () => {
    for (const name of [MARKUP, LINK, TURNED, 'no%escape']) {
      await go(page, `#/queues/${encodeURIComponent(name)}/messages`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await assertInert()
    }
    await go(page, '#/queues/%ED%A0%80/messages')
    await page.getByRole('heading', { level: 1 }).waitFor()
    await go(page, '#/queues')
    await page.getByRole('link', { name: 'hostile' }).waitFor()
  })

  await t.test('runs nothing, and breaks nothing', () => assertNoComplaints({ ...opened, failedLoads: [] }))

  /** As an operator does. */
  async function put(kind: string, name: string, document: unknown): Promise<void> {
    const url = `${service.url}/v2/${kind}/${encodeURIComponent(name)}`
    const headers = { ...HEADERS, 'X-Roles': 'admin' }
    const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(document) })
    assert.equal(answer.status, 201, await answer.text())
  }

  async function post(queue: string, document: string): Promise<void> {
    const url = `${service.url}/v2/queues/${queue}/messages`
    assert.equal((await fetch(url, { method: 'POST', headers: HEADERS, body: document })).status, 201)
  }
})

const HEADERS = {
  'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c',
  'X-Project-ID': 'demo',
  'Content-Type': 'application/json',
}

function deep(levels: number): unknown {
  let value: unknown = 'bottom'
  for (let i = 0; i < levels; i++) value = [value]
  return value
}
