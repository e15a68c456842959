/** The service is killed and started again while pages are open. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { Zaqar } from 'zaqar-client'
import { startBrowser } from '../browser/browser.ts'
import { requirePeer } from '../support/peers.ts'
import { freePort } from '../support/proxy.ts'
import { type Service, startService } from '../support/service.ts'
import { look } from './look.ts'
import { go, openConsole, press, signInToProject, type WatchedPage } from './open.ts'

test('the service is killed and started again while pages are open', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const restarting = await startRestarting(t)
  const { zaqar } = restarting
  const browser = await startBrowser(t)
  const open = async (hash: string): Promise<WatchedPage> => {
    const opened = await openConsole(browser, restarting.url, hash)
    await signInToProject(opened.page)
    return opened
  }

  await t.test('a list says so, and goes on by itself', async () => {
    await zaqar.queue('orders').post(1)
    const { page, complaints } = await open('#/queues')
    await figures(page, 'orders', '1')
    await restarting.kill()
    await away(page)
    await look(page, 'service-away')
    await restarting.start()
    await back(page)
    await zaqar.queue('orders').post(2)
    await figures(page, 'orders', '2')
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test('a list that is not at its end goes on where it stopped', async () => {
    for (let i = 100; i < 160; i++) await zaqar.queue(`many-${i}`).create()
    const { page, complaints } = await open('#/queues')
    await page.getByRole('link', { name: 'many-100' }).waitFor()
    await restarting.kill()
    await away(page)
    await page.locator('.scrolled').evaluate((rows) => rows.scrollTo(0, rows.scrollHeight))
    await restarting.start()
    await back(page)
    while ((await page.getByRole('link', { name: 'orders' }).count()) === 0) {
      await page.locator('.scrolled').evaluate((rows) => rows.scrollTo(0, rows.scrollHeight))
    }
    assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), '62')
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test('a page that is opened meanwhile waits for it', async () => {
    const { page, complaints } = await open('#/queues')
    await restarting.kill()
    await go(page, '#/queues/orders/messages')
    await away(page)
    await restarting.start()
    await back(page)
    await page.getByRole('listitem').filter({ hasText: '2' }).first().waitFor()
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test('a live view misses nothing and shows nothing twice', async () => {
    const { page, complaints } = await open('#/queues/tail/messages')
    await page.getByRole('checkbox', { name: 'Live' }).check()
    await page.getByText('Waiting for messages').waitFor()
    let posted = 0
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5; i++) await zaqar.queue('tail').post(posted++)
      if (round !== 1) await page.getByText(String(posted - 1), { exact: true }).waitFor()
      await restarting.kill()
      await page.getByText('The connection is broken').waitFor()
      await restarting.start()
      // Before the page is back, so it was not told of these.
      for (let i = 0; i < 5; i++) await zaqar.queue('tail').post(posted++)
      await page.getByText(String(posted - 1), { exact: true }).waitFor()
      await page.getByText('Waiting for messages').waitFor()
    }
    const shown = await page.getByRole('list', { name: 'Messages' }).locator('.json-number').allTextContents()
    assert.deepEqual(
      shown.map(Number).reverse(),
      Array.from({ length: posted }, (_, i) => i),
    )
    await back(page)
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test('what is posted gets there once, whether it had got there before or not', async () => {
    const { page, complaints } = await open('#/queues/posted/post')
    await page.getByLabel('Body').fill('"once"')
    // The answer to the first try is lost, and the next one does not get there.
    let tries = 0
    await page.route('**/messages', async (route) => {
      tries += 1
      if (tries === 1) {
        await route.fetch()
        await restarting.kill()
      }
      await route.abort()
    })
    await press(page, 'Post')
    await away(page)
    await page.getByRole('alert').filter({ hasText: 'The service does not answer.' }).last().waitFor()
    await page.unroute('**/messages')
    await restarting.start()
    await back(page)
    await press(page, 'Post')
    await page.getByText('1 message posted').waitFor()
    await page.getByLabel('Body').fill('"another one"')
    await press(page, 'Post')
    await page.getByText('1 message posted').waitFor()
    const bodies = await Array.fromAsync(zaqar.queue('posted').messages(), ({ body }) => body)
    assert.deepEqual(bodies, ['once', 'another one'])
    assert.deepEqual(complaints, [])
    await page.close()
  })
})

interface Restarting {
  readonly url: string
  readonly zaqar: Zaqar
  kill(): Promise<void>
  start(): Promise<void>
}

/** A service that keeps its port and its data. */
async function startRestarting(t: TestContext): Promise<Restarting> {
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-console-'))
  const port = await freePort()
  let service: Service
  const start = async () => {
    service = await startService({ port, dataDir })
  }
  const kill = () => service.kill()
  await start()
  const zaqar = new Zaqar({ url: `http://127.0.0.1:${port}`, project: 'demo' })
  t.after(async () => {
    zaqar.close()
    await kill()
    rmSync(dataDir, { recursive: true })
  })
  return { url: `http://127.0.0.1:${port}`, zaqar, kill, start }
}

function away(page: Page): Promise<void> {
  return page.getByRole('alert').filter({ hasText: 'It is asked again' }).waitFor()
}

function back(page: Page): Promise<void> {
  return page.getByRole('alert').filter({ hasText: 'It is asked again' }).waitFor({ state: 'detached' })
}

async function figures(page: Page, queue: string, depth: string): Promise<void> {
  const row = page.getByRole('row').filter({ hasText: queue })
  await row.getByRole('cell').nth(2).getByText(depth, { exact: true }).waitFor()
}
