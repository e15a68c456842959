/** Signed URLs: made with a few clicks, used as they are copied, and as a way to sign in. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { requirePeer } from '../support/peers.ts'
import { look } from './look.ts'
import { assertNoComplaints, go, openConsole, openProject, press } from './open.ts'

const run = promisify(execFile)

test('signed URLs', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const opened = await openProject(t, { config: '[signed_url]\nsecret_key = s3cret\n' })
  const { service, browser, page, zaqar } = opened
  await zaqar.queue('orders').post({ order: 1 })
  await zaqar.queue('other').post('not for everybody')
  let values = ''

  await t.test('are made, and what is copied works as it is', async (t) => {
    await go(page, '#/queues/orders/share')
    await page.getByRole('checkbox', { name: 'POST' }).check()
    await page.getByLabel('Ends in hours').fill('2')
    await press(page, 'Make')
    const written = page.locator('pre')
    await written.waitFor()
    await look(page, 'signed-urls')

    const { stdout } = await run('sh', ['-c', `${await written.innerText()} --silent --show-error`])
    assert.deepEqual(bodiesIn(stdout), [{ order: 1 }])

    await page.getByLabel('Copy as').selectOption('JavaScript')
    // Beside this repository, so that the package is found.
    const folder = mkdtempSync(join(import.meta.dirname, 'tmp-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const program = join(folder, 'program.mjs')
    writeFileSync(program, `${await written.innerText()}\nawait queue.post('from a program')\n`)
    await run(process.execPath, [program])

    await page.getByLabel('Copy as').selectOption('Environment variables')
    const environment = await written.innerText()
    const asHeaders = ['URL_SIGNATURE', 'URL_METHODS', 'URL_PATHS', 'URL_EXPIRES', 'X_PROJECT_ID']
      .map((name) => `-H "${name.replaceAll('_', '-')}: $ZAQAR_${name}"`)
      .join(' ')
    const ask = `curl --silent -H 'Client-ID: ${crypto.randomUUID()}' ${asHeaders} "$ZAQAR_URL/v2/queues/$ZAQAR_QUEUE/messages"`
    const listed = await run('sh', ['-c', `${environment}\n${ask}`])
    assert.deepEqual(bodiesIn(listed.stdout), [{ order: 1 }, 'from a program'])

    await page.getByLabel('Copy as').selectOption('JSON')
    values = await written.innerText()
    // Browsers may refuse the one way to the clipboard.
    await page.evaluate('navigator.clipboard.writeText = () => Promise.reject(new Error())')
    await press(page, 'Copy')
    await page.getByText('Copied').waitFor()
  })

  await t.test('are a way to sign in, to what they allow alone', async () => {
    const guest = await openConsole(browser, service.url)
    await signIn(guest.page, values)
    await guest.page.getByText('"from a program"').waitFor()
    assert.equal(await guest.page.getByRole('button', { name: 'Delete' }).count(), 0, 'it may not delete')
    assert.deepEqual(await guest.page.getByRole('navigation').getByRole('link').allTextContents(), ['Messages', 'Post'])
    await look(guest.page, 'signed-in-by-signed-url')
    await guest.page.getByRole('link', { name: 'Post', exact: true }).click()
    await guest.page.getByLabel('Body').fill('from a guest')
    await press(guest.page, 'Post')
    await guest.page.getByText('1 message posted').waitFor()
    await guest.page.getByRole('link', { name: 'Messages' }).click()
    await guest.page.getByText('"from a guest"').waitFor()
    for (const hash of ['#/queues', '#/queues/other/messages', '#/service', '#/queues/orders/settings']) {
      await go(guest.page, hash)
      await guest.page.getByRole('heading', { name: 'orders' }).waitFor()
      await guest.page.getByText('"from a guest"').waitFor()
      assert.equal(await guest.page.getByText('not for everybody').count(), 0)
    }
    assertNoComplaints(guest)
    await guest.page.close()
  })

  await t.test('of another queue, changed ones, and what is none of them are refused in plain words', async () => {
    const { page: guest, complaints } = await openConsole(browser, service.url)
    await signIn(guest, 'junk')
    await guest.getByRole('alert').filter({ hasText: 'no JSON' }).waitFor()
    await signIn(guest, '{"signature": "x"}')
    await guest.getByRole('alert').filter({ hasText: 'A signed URL has' }).waitFor()
    await signIn(guest, values.replaceAll('/orders/', '/other/'))
    await guest.getByRole('alert').filter({ hasText: 'does not take these values' }).waitFor()
    await signIn(guest, values.replace('"POST"', '"DELETE"'))
    await guest.getByRole('alert').filter({ hasText: 'does not take these values' }).waitFor()
    assert.deepEqual(complaints, [])
    await guest.close()
  })

  await t.test('that end while the page is open: it says so', async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)
    const signed = await zaqar.queue('orders').share({ methods: ['GET'], paths: ['messages'], expires: soon })
    const { page: guest, complaints } = await openConsole(browser, service.url)
    await guest.clock.install()
    await signIn(guest, JSON.stringify(signed))
    await guest.getByText('"from a guest"').waitFor()
    assert.equal(await guest.getByRole('alert').count(), 0)
    await guest.clock.fastForward(3_601_000)
    await guest.getByRole('alert').filter({ hasText: 'Your sign-in has ended' }).waitFor()
    await press(guest, 'Sign in again')
    await guest.getByLabel('Sign in with').waitFor()
    assert.deepEqual(complaints, [])
    await guest.close()
  })

  await t.test('meet no error of the page', () => assertNoComplaints(opened))
})

async function signIn(page: Page, values: string): Promise<void> {
  await page.getByLabel('Sign in with').selectOption('Signed URL')
  await page.getByLabel('Signed values').fill(values)
  await press(page, 'Open')
}

function bodiesIn(document: string): unknown[] {
  return JSON.parse(document).messages.map(({ body }: { body: unknown }) => body)
}
