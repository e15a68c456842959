/** What operators decide of pools and flavors, and what they see of the service. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { requirePeer } from '../support/peers.ts'
import { look } from './look.ts'
import { assertNoComplaints, openProject, press } from './open.ts'

test('an operator', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-console-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const config = `[DEFAULT]\nadmin_mode = true\npooling = true\n[pooling]\nallowed_uris = sqlite:${folder}/*\n`
  const opened = await openProject(t, { config })
  const { page, zaqar } = opened
  const row = (name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) })
  const dialog = page.getByRole('dialog')

  await t.test('makes pools, with weights', async () => {
    await page.getByRole('link', { name: 'Pools and flavors' }).click()
    await page.getByText('No pools').waitFor()
    for (const name of ['east', 'west']) {
      await press(page, 'New pool')
      await dialog.getByLabel('Name').fill(name)
      await dialog.getByLabel('Address').fill(`sqlite:${folder}/${name}.db`)
      await dialog.getByLabel('Weight').fill(name === 'east' ? '100' : '50')
      await dialog.getByRole('button', { name: 'New pool' }).click()
      await row(name).waitFor()
    }
  })

  await t.test('makes a flavor of them, and changes it', async () => {
    await press(page, 'New flavor')
    await dialog.getByLabel('Name').fill('fast')
    await dialog.getByRole('checkbox', { name: 'east' }).check()
    await dialog.getByRole('button', { name: 'New flavor' }).click()
    await row('fast').getByText('east').waitFor()
    await row('fast').getByRole('button', { name: 'Change' }).click()
    await dialog.getByRole('checkbox', { name: 'west' }).check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await row('fast').getByText('east, west').waitFor()
    await look(page, 'pools')
  })

  await t.test('gives a pool another weight', async () => {
    await row('west').getByRole('button', { name: 'Change' }).click()
    assert.equal(await dialog.getByLabel('Address').inputValue(), `sqlite:${folder}/west.db`)
    await dialog.getByLabel('Weight').fill('0')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await row('west').getByRole('cell', { name: '0', exact: true }).waitFor()
  })

  await t.test('makes a queue of the flavor', async () => {
    await page.getByRole('link', { name: 'Queues' }).click()
    await press(page, 'New queue')
    await dialog.getByLabel('Name').fill('orders')
    await dialog.getByLabel('Flavor').selectOption('fast')
    await look(page, 'new-queue')
    await dialog.getByRole('button', { name: 'New queue' }).click()
    await page.getByRole('heading', { name: 'orders' }).waitFor()
    assert.equal((await zaqar.queue('orders').metadata())['_flavor'], 'fast')
  })

  await t.test('sees how each pool does, and which process answers', async () => {
    await page.getByRole('link', { name: 'Service' }).click()
    await page.getByRole('table', { name: 'east' }).getByText('create_queue').waitFor()
    await page.getByRole('table', { name: 'Processes' }).getByText(String(opened.service.pid)).waitFor()
    await look(page, 'service')
    await page.getByRole('link', { name: 'Pools and flavors' }).click()
    await row('east').getByText('answers').waitFor()
  })

  await t.test('drains a pool, and sees how it gets on', async () => {
    await zaqar.queue('orders').post('goes along')
    const drain = async () => {
      await row('east').getByRole('button', { name: 'Drain…' }).click()
      await dialog.getByRole('button', { name: 'Start' }).click()
    }
    await drain()
    await dialog.getByText('Failed.').waitFor()
    await dialog.locator('.trouble').waitFor()
    await page.keyboard.press('Escape')
    await row('west').getByRole('button', { name: 'Change' }).click()
    await dialog.getByLabel('Weight').fill('50')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await row('west').getByRole('cell', { name: '50', exact: true }).waitFor()
    await drain()
    await dialog.getByText('Done.').waitFor()
    await dialog.getByText(/^1 queue and \d+ records moved/).waitFor()
    await look(page, 'drain')
    await page.keyboard.press('Escape')
    const { messages } = await zaqar.queue('orders').list()
    assert.deepEqual(
      messages.map(({ body }) => body),
      ['goes along'],
    )
  })

  await t.test('deletes a flavor, and the pool that was drained', async () => {
    await row('fast').getByRole('button', { name: 'Delete' }).click()
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('There are no flavors').waitFor()
    await row('east').getByRole('button', { name: 'Delete' }).click()
    await dialog.getByLabel('Type east').fill('east')
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click()
    await row('east').waitFor({ state: 'detached' })
  })

  // Nobody had asked for a drain when the page asked for the last one.
  await t.test('breaks nothing', () => assertNoComplaints({ ...opened, failedLoads: [] }))
})
