/** What people do in the console, in a real browser, on a service that asks nobody who they are. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { Zaqar } from 'zaqar-client'
import { startBrowser } from '../browser/browser.ts'
import { requirePeer } from '../support/peers.ts'
import { startService } from '../support/service.ts'

const CONFIG = '[DEFAULT]\nadmin_mode = true\n'

async function setUp(t: TestContext) {
  const service = await startService({ config: CONFIG })
  t.after(() => service.kill())
  const browser = await startBrowser(t)
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(`${service.url}/console/`)
  await page.getByLabel('Project').fill('demo')
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByRole('heading', { name: 'Queues' }).waitFor()
  return { service, page, complaints, zaqar: new Zaqar({ url: service.url, project: 'demo' }) }
}

test('a person', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { page, zaqar, complaints } = await setUp(t)
  const look = looker(page)

  await t.test('makes a queue, posts to it and reads', async () => {
    await page.getByRole('button', { name: 'New queue' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('orders')
    await page.getByRole('dialog').getByRole('button', { name: 'New queue' }).click()
    await page.getByRole('heading', { name: 'orders' }).waitFor()
    await page.getByRole('link', { name: 'Post' }).click()
    await page.getByLabel('Body').fill('{"order": 9007199254740993, "lines": [{"item": "a"}]}')
    await page.getByRole('button', { name: 'Post' }).click()
    await page.getByText('1 message posted').waitFor()
    await page.getByRole('link', { name: 'Messages' }).click()
    await page.getByText('9007199254740993').waitFor()
    await look('messages')
  })

  await t.test('is told of messages as they are posted', async () => {
    await page.getByLabel('Live').check()
    await page.getByText('Waiting for messages').waitFor()
    const posting = postUntil(zaqar, async () => (await page.getByText('"as it comes"').count()) > 0)
    await page.getByText('"as it comes"').first().waitFor()
    await posting
    await look('live')
    await page.getByLabel('Live').uncheck()
  })

  await t.test('claims, deletes and releases by hand', async () => {
    await zaqar.queue('jobs').postAll([{ body: 'first job' }, { body: 'second job' }])
    await go(page, '#/queues/jobs/claims')
    await page.getByLabel('How many').fill('2')
    await page.getByRole('button', { name: 'Claim', exact: true }).click()
    await page.getByText('"second job"').waitFor()
    await look('claim')
    await page.getByRole('button', { name: 'Delete message' }).first().click()
    await page.getByText('"first job"').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Release' }).first().click()
    await page.getByText('"second job"').waitFor({ state: 'detached' })
    assert.deepEqual(await bodiesOf(zaqar, 'jobs'), ['second job'])
  })

  await t.test('deletes a queue, with its name typed again', async () => {
    await go(page, '#/queues/jobs/settings')
    await page.getByRole('button', { name: 'Delete this queue' }).click()
    const dialog = page.getByRole('dialog')
    assert.equal(await dialog.getByRole('button', { name: 'Delete', exact: true }).isDisabled(), true)
    await dialog.getByLabel('Type jobs').fill('jobs')
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('heading', { name: 'Queues' }).waitFor()
    const names = await Array.fromAsync(zaqar.queues(), ({ name }) => name)
    assert.deepEqual(names, ['orders'])
    await look('queues')
  })

  await t.test('sees hostile content as what it is', async () => {
    const bodies = ['<img src=x onerror="document.title=1">', '\u202egnirts', 'x'.repeat(200_000), deep(400)]
    await zaqar.queue('hostile').postAll(bodies.map((body) => ({ body })).slice(0, 2))
    await zaqar.queue('hostile').post(bodies[2])
    await zaqar.queue('hostile').post(bodies[3])
    await go(page, '#/queues/hostile/messages')
    await page.getByText('onerror').waitFor()
    assert.equal(await page.locator('img').count(), 0)
    await page.getByText('\\u202egnirts').waitFor()
    await page.getByText('more characters').waitFor()
    await look('hostile')
  })

  await t.test('sees health, and pools', async () => {
    await page.getByRole('link', { name: 'Service' }).click()
    await page.getByText('The storage answers').waitFor()
    await look('service')
    await page.getByRole('link', { name: 'Pools and flavors' }).click()
    await page.getByText('No pools').waitFor()
  })

  await t.test('meets no error of the page', () => assert.deepEqual(complaints, []))
})

async function go(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
}

async function bodiesOf(zaqar: Zaqar, queue: string): Promise<unknown[]> {
  return Array.fromAsync(zaqar.queue(queue).messages(), ({ body }) => body)
}

/** The page subscribes some time after it says that it waits: so it is told until it has heard. */
async function postUntil(zaqar: Zaqar, isHeard: () => Promise<boolean>): Promise<void> {
  do await zaqar.queue('orders').post('as it comes')
  while (!(await isHeard()))
}

function deep(levels: number): unknown {
  let value: unknown = 'bottom'
  for (let i = 0; i < levels; i++) value = [value]
  return value
}

/**
 * Looks at a page in three widths and both themes: axe finds nothing, and nothing is wider than the page. Pictures of
 * each are kept where `ZAQAR_PICTURES` says.
 */
function looker(page: Page) {
  const folder = process.env['ZAQAR_PICTURES']
  return async (name: string) => {
    for (const width of [360, 1280, 2560]) {
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme })
        await page.setViewportSize({ width, height: 800 })
        if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}-${width}-${theme}.png` })
        const overhang = await page.evaluate<number>('document.body.scrollWidth - innerWidth')
        assert.ok(overhang <= 0, `${name} is ${overhang} pixels wider than a page of ${width}`)
        assert.deepEqual(await violations(page), [], `${name}, ${width} pixels wide, ${theme}`)
      }
    }
    await page.setViewportSize({ width: 1280, height: 800 })
  }
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run()')
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
}
