/** Everything can be reached and done by keyboard alone, and it is always seen where one is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { Zaqar } from 'zaqar-client'
import { requirePeer } from '../support/peers.ts'
import { assertNoComplaints, openConsole, startBoth } from './open.ts'

/** No page has as many places to stop at. */
const MOST_STOPS = 80

test('by keyboard alone somebody', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { service, browser } = await startBoth(t, { config: '[DEFAULT]\nadmin_mode = true\n' })
  const zaqar = new Zaqar({ url: service.url, project: 'demo' })
  const opened = await openConsole(browser, service.url)
  const { page } = opened
  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const link = (name: string) => page.getByRole('link', { name, exact: true })
  const dialog = page.getByRole('dialog')

  await t.test('signs in', async () => {
    await page.getByLabel('Project').waitFor()
    await stepTo(page, page.getByLabel('Project'))
    await page.keyboard.type('demo')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Queues' }).waitFor()
  })

  await t.test('makes a queue in a dialog, which keeps the focus and gives it back', async () => {
    await stepTo(page, button('New queue'))
    await page.keyboard.press('Enter')
    await dialog.waitFor()
    for (let i = 0; i < 8; i++) {
      await page.keyboard.press('Tab')
      assert.ok(
        await page.evaluate('document.activeElement === document.body || !!document.activeElement.closest("dialog")'),
      )
    }
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    assert.ok(await isFocused(button('New queue')), 'the focus is where it was')
    await page.keyboard.press('Enter')
    await dialog.waitFor()
    assert.ok(await isFocused(dialog.getByLabel('Name')), 'it begins in its first field')
    await page.keyboard.type('orders')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'orders' }).waitFor()
  })

  await t.test('posts', async () => {
    await stepTo(page, link('Post'))
    await page.keyboard.press('Enter')
    await page.getByLabel('Body').waitFor()
    await stepTo(page, page.getByLabel('Body'))
    await page.keyboard.type('{"lines": [{"item": "apple"}]}')
    await stepTo(page, button('Post'))
    await page.keyboard.press('Space')
    await page.getByText('1 message posted').waitFor()
  })

  await t.test('finds the queue in the list, and unfolds a message', async () => {
    await stepTo(page, link('Queues'), 'back')
    await page.keyboard.press('Enter')
    await link('orders').waitFor()
    await stepTo(page, link('orders'))
    await page.keyboard.press('Enter')
    const folded = page.locator('summary').filter({ hasText: '"lines"' })
    await folded.waitFor()
    await stepTo(page, folded)
    await page.keyboard.press('Enter')
    await page.locator('summary').filter({ hasText: '{…}' }).waitFor()
  })

  await t.test('claims, and releases', async () => {
    await stepTo(page, link('Claims'), 'back')
    await page.keyboard.press('Enter')
    await page.getByLabel('How many').waitFor()
    await stepTo(page, page.getByLabel('How many'))
    await page.keyboard.press('Enter')
    await button('Release').waitFor()
    assert.equal((await zaqar.queue('orders').stats()).claimed, 1)
    await stepTo(page, button('Release'))
    await page.keyboard.press('Enter')
    await button('Release').waitFor({ state: 'detached' })
    assert.equal((await zaqar.queue('orders').stats()).claimed, 0)
  })

  await t.test('chooses a message, and deletes it', async () => {
    await stepTo(page, link('Messages'), 'back')
    await page.keyboard.press('Enter')
    await page.getByRole('checkbox', { name: /^Choose [0-9a-f]{32}$/ }).waitFor()
    await stepTo(page, page.getByRole('checkbox', { name: /^Choose [0-9a-f]{32}$/ }))
    await page.keyboard.press('Space')
    await stepTo(page, button('Delete 1'), 'back')
    await page.keyboard.press('Enter')
    await stepTo(page, dialog.getByRole('button', { name: 'Delete', exact: true }))
    await page.keyboard.press('Enter')
    await page.getByText('There is no message here').waitFor()
  })

  await t.test('deletes the queue, and signs out', async () => {
    await stepTo(page, link('Settings'), 'back')
    await page.keyboard.press('Enter')
    await button('Delete this queue').waitFor()
    await stepTo(page, button('Delete this queue'))
    await page.keyboard.press('Enter')
    await stepTo(page, dialog.getByLabel('Type orders'))
    await page.keyboard.type('orders')
    await page.keyboard.press('Enter')
    await page.getByText('There are no queues yet').waitFor()
    await stepTo(page, button('Sign out'), 'back')
    await page.keyboard.press('Enter')
    await page.getByLabel('Project').waitFor()
  })

  await t.test('breaks nothing', () => {
    zaqar.close()
    assertNoComplaints(opened)
  })
})

/** Steps on by the tabulator until the element has the focus. Wherever it stops, that is seen. */
async function stepTo(page: Page, target: Locator, direction: 'on' | 'back' = 'on'): Promise<void> {
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    if (await isFocused(target)) return
    await page.keyboard.press(direction === 'on' ? 'Tab' : 'Shift+Tab')
    assert.ok(await page.evaluate<boolean>(SHOWS_FOCUS), `${await page.evaluate(FOCUSED)} does not show its focus`)
  }
  assert.fail(`${target} was not reached`)
}

/** It may come meanwhile. */
async function isFocused(target: Locator): Promise<boolean> {
  return (await target.count()) > 0 && target.evaluate((element) => element === element.ownerDocument.activeElement)
}

const FOCUSED = 'document.activeElement.outerHTML.slice(0, 200)'
const SHOWS_FOCUS = `(() => {
  const element = document.activeElement
  // Between the last place and the first the browser itself has the focus.
  if (element === document.body) return true
  return [undefined, '::after'].some((part) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element, part)
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1
  })
})()`
